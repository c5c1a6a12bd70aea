# A quarter of ResNet-18's width: minutes of training on a laptop's CPU. The clips are
# small, hence the flow after the first convolution: after layer1 the maps are 16x16, too
# coarse to tell clockwise from counterclockwise.
_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/motionshapes.py',
    '_base_/schedules/motionshapes_12e.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        depth=18,
        base_channels=16,
        flow_after='conv1',
        flow_cfg=dict(bottleneck_channels=8)),
    cls_head=dict(num_classes=8, in_channels=128, dropout_ratio=0.2))
