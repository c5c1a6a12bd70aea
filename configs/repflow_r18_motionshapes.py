# A quarter of ResNet-18's width: minutes of training on a laptop's CPU.
_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/motionshapes.py',
    '_base_/schedules/motionshapes.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=18, base_channels=16),
    cls_head=dict(num_classes=8, in_channels=128))
