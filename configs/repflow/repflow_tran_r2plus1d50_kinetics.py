# Table 9's experiment on Tran et al.'s R(2+1)D, which has 1.6 times as many parameters as
# the paper's network
_base_ = [
    '../_base_/models/repflow_tran_r2plus1d18.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/repflow_32x224.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=50, inflate_style='3x3x3'),
    cls_head=dict(in_channels=2048))
auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
