# Features of THUMOS14, of networks on RGB and on flow: of the trimmed videos of UCF101 for
# training, of untrimmed videos that may show several classes for validation and test.
_base_ = './kinetics400_features.py'

data_root = '{{$FLOWZOO_DATA:data}}/thumos14_features'
num_classes = 101
test_pipeline = [dict(type='PackFeatures', num_classes=num_classes)]
several = dict(
    num_classes=num_classes, multi_class=True, pipeline=test_pipeline)

train_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/appearance_train.npz',
        flow=f'{data_root}/flow_train.npz',
        num_classes=num_classes))
val_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/appearance_val.npz',
        flow=f'{data_root}/flow_val.npz',
        **several))
test_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/appearance_test.npz',
        flow=f'{data_root}/flow_test.npz',
        **several))

val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
