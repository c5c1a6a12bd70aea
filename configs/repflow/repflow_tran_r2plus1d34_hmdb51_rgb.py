# Table 9, "HMDB(+Kin)": "RGB R(2+1)D (Tran et al.)", from the Kinetics network
_base_ = [
    '../_base_/models/repflow_tran_r2plus1d18.py',
    '../_base_/datasets/hmdb51.py', '../_base_/pipelines/repflow_32x224.py',
    '../_base_/schedules/repflow_hmdb51_50e.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=34, flow_after=None, flow_cfg=dict(_delete_=True)),
    cls_head=dict(num_classes=51, dropout_ratio=0.8))
auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)

load_from = 'work_dirs/repflow_tran_r2plus1d34_kinetics_rgb/epoch_200.pth'
