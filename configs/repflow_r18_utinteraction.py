_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/ut_interaction.py',
    '_base_/schedules/motionshapes.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=18, base_channels=16),
    cls_head=dict(num_classes=6, in_channels=128))
