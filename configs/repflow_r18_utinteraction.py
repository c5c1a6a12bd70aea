# Leaving one sequence out: SPLIT=3 python tools/train.py ... The clips are small, hence
# the flow before layer1, on maps of 16x16, as layer2's are at the paper's 112x112.
_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/ut_interaction.py',
    '_base_/pipelines/repflow_utinteraction.py',
    '_base_/schedules/motionshapes_12e.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=18, base_channels=16, flow_after='stem'),
    cls_head=dict(num_classes=6, in_channels=128, dropout_ratio=0.2))

# 54 clips: an epoch has seven iterations. There are no clips to validate on but the test
# split's, so that the network is the last epoch's, not the best one's.
train_cfg = dict(max_epochs=80, val_interval=20)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=5,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=5,
        end=80,
        T_max=75,
        convert_to_iter_based=True)
]
default_hooks = dict(checkpoint=dict(interval=20, save_best=None))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
