# 16 frames of 112x112, split 1 (SPLIT=2 python tools/train.py ...); the schedule is
# our choice.
_base_ = [
    '../_base_/models/actionflownet_r18.py', '../_base_/datasets/ucf101.py',
    '../_base_/pipelines/repflow_16x112.py',
    '../_base_/schedules/repflow_hmdb51_50e.py', '../_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=101, dropout_ratio=0.8))

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
