# The authors' public code on HMDB51, split 1 (SPLIT=2 python tools/train.py ...), from the
# Kinetics network
_base_ = [
    '../_base_/models/repflow_fcf_authors.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/repflow_16x112.py',
    '../_base_/schedules/repflow_authors_60e.py',
    '../_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=51))

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(batch_size=1, dataset=_base_.val_data)
test_dataloader = dict(batch_size=1, dataset=_base_.test_data)

load_from = 'work_dirs/repflow_r2plus1d50_kinetics_fcf_authors/epoch_60.pth'
