# Table 9: the flow stream of "Two-Stream R(2+1)D" (Tran et al.), on mmaction2's network
_base_ = [
    'mmaction::_base_/models/r2plus1d_r34.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/repflow_32x224.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(in_channels=2),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))
auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
