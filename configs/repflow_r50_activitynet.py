# Clips, starting weights and schedule are those of HMDB51; the paper does not train on
# this dataset.
_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/activitynet.py',
    '_base_/pipelines/repflow_32x224.py',
    '_base_/schedules/repflow_hmdb51_50e.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(pretrained='torchvision://resnet50'),
    cls_head=dict(num_classes=_base_.num_classes, dropout_ratio=0.8))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
