_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/ut_interaction.py',
    '_base_/schedules/motionshapes_12e.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=18, base_channels=16),
    cls_head=dict(num_classes=6, in_channels=128, dropout_ratio=0.2))

# 48 clips: an epoch has six iterations
train_cfg = dict(max_epochs=160, val_interval=20)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=10,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=10,
        end=160,
        T_max=150,
        convert_to_iter_based=True)
]
default_hooks = dict(checkpoint=dict(interval=20))
