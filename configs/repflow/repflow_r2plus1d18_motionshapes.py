# A quarter of the width of (2+1)D ResNet-18; _base_/models/repflow_r18.py says why the flow
# is after conv1
_base_ = [
    '../_base_/models/repflow_r2plus1d50.py',
    '../_base_/datasets/motionshapes.py',
    '../_base_/pipelines/repflow_motionshapes.py',
    '../_base_/schedules/motionshapes_12e.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        depth=18,
        base_channels=16,
        flow_after='conv1',
        flow_cfg=dict(bottleneck_channels=8)),
    cls_head=dict(num_classes=8, in_channels=128, dropout_ratio=0.2))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
