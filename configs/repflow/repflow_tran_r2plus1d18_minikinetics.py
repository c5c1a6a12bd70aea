# Table 7's experiment on Tran et al.'s R(2+1)D, which has 1.4 times as many parameters as
# the paper's network, from scratch
_base_ = [
    '../_base_/models/repflow_tran_r2plus1d18.py',
    '../_base_/datasets/minikinetics.py',
    '../_base_/pipelines/repflow_16x112.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=150))
auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
