# Table 9: "RGB R(2+1)D (Tran et al.)", without the layer. Theirs started from Sports-1M
# weights and saw 32 frames of 112 x 112; frames and schedule here are the other rows'.
_base_ = [
    '../_base_/models/repflow_tran_r2plus1d18.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/repflow_32x224.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=34, flow_after=None, flow_cfg=dict(_delete_=True)))
auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
