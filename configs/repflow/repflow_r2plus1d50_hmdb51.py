# Table 9, "HMDB(+Kin)": from the Kinetics network; the paper has no (2+1)D row without it
_base_ = [
    '../_base_/models/repflow_r2plus1d50.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/repflow_32x224.py',
    '../_base_/schedules/repflow_hmdb51_50e.py', '../_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=51, dropout_ratio=0.8))

auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)

load_from = 'work_dirs/repflow_r2plus1d50_kinetics/epoch_200.pth'
