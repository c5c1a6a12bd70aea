# A quarter of the channels, input and schedule as repflow_r18_weizmann.py's
_base_ = [
    '../_base_/models/actionflownet_r18.py', '../_base_/datasets/weizmann.py',
    '../_base_/pipelines/repflow_weizmann.py',
    '../_base_/schedules/adamw_120e.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(base_channels=16),
    cls_head=dict(
        num_classes=10,
        in_channels=128,
        dropout_ratio=0.2,
        label_smooth_eps=0.1))

default_hooks = dict(checkpoint=dict(interval=20, save_best=None))

train_pipeline = [
    *_base_.train_pipeline[:-2],
    dict(type='TVL1Flow', preset='fast'),
    dict(type='FormatFlow'), _base_.train_pipeline[-2],
    dict(type='PackActionInputs', algorithm_keys=('gt_flow', ))
]
train_dataloader = dict(
    dataset=dict(_base_.train_data, pipeline=train_pipeline))
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
