# Features of ActivityNet v1.2, of networks on RGB and on flow: of untrimmed videos with
# all their classes (activitynet_train_videos.txt, activitynet_val_videos.txt).
_base_ = './kinetics400_features.py'

data_root = '{{$FLOWZOO_DATA:data}}/activitynet_features'
num_classes = 100
train_pipeline = [dict(type='PackFeatures', num_classes=num_classes)]
test_pipeline = train_pipeline
several = dict(
    num_classes=num_classes, multi_class=True, pipeline=train_pipeline)
test_files = dict(
    appearance=f'{data_root}/appearance_val.npz',
    flow=f'{data_root}/flow_val.npz',
    **several)

train_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/appearance_train.npz',
        flow=f'{data_root}/flow_train.npz',
        **several))
val_dataloader = dict(dataset=test_files)
test_dataloader = dict(dataset=test_files)

val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
