# Tables 1 and 2, "LowRes-HMDB": HMDB51 from scratch on 16 frames of 112 x 112, split 1
# (SPLIT=2 python tools/train.py ...), with what is learned in the last row of table 2.
# The paper names no schedule for training from scratch; this is that of Kinetics.
_base_ = [
    '../_base_/models/repflow_r50.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/repflow_16x112.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=34),
    cls_head=dict(num_classes=51, in_channels=512, dropout_ratio=0.8))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
