# Table 9, "HMDB": from ImageNet weights; split 1 (SPLIT=2 python tools/train.py ...).
# "HMDB(+Kin)" is repflow/repflow_r50_hmdb51_from-kinetics.py.
_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/hmdb51.py',
    '_base_/pipelines/repflow_32x224.py',
    '_base_/schedules/repflow_hmdb51_50e.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(pretrained='torchvision://resnet50'),
    cls_head=dict(num_classes=51, dropout_ratio=0.8))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
