# Table 8 of representation flow, ActionFlowNet: clips and schedule of its other networks.
# All but the method is our choice.
_base_ = [
    '../_base_/models/actionflownet_r18.py', '../_base_/datasets/minikinetics.py',
    '../_base_/pipelines/repflow_16x224.py',
    '../_base_/schedules/repflow_kinetics_200e.py', '../_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=150, dropout_ratio=0.5))

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
