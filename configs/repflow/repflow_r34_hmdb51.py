# Table 8, "ours", on HMDB51, split 1 (SPLIT=2 python tools/train.py ...): 16 frames of
# 224 x 224, as in repflow_r34_minikinetics_224.py, from ImageNet weights
_base_ = [
    '../_base_/models/repflow_r50.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/repflow_16x224.py',
    '../_base_/schedules/repflow_hmdb51_50e.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=34, pretrained='torchvision://resnet34'),
    cls_head=dict(num_classes=51, in_channels=512, dropout_ratio=0.8))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
