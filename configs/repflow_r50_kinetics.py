_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/kinetics400.py',
    '_base_/pipelines/repflow_32x224.py',
    '_base_/schedules/repflow_kinetics_200e.py', '_base_/default_runtime.py'
]

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
