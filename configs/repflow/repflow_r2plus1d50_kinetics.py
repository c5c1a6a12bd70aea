# Table 9. 24 clips in all on 8 GPUs, as the paper's 3D networks
_base_ = [
    '../_base_/models/repflow_r2plus1d50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/repflow_32x224.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
