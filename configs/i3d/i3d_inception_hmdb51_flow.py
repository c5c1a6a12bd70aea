# Table 9 of representation flow, "HMDB": "I3D (Flow)", split 1 (SPLIT=2 python
# tools/train.py ...). Training starts from scratch, the authors' from an inflated network
# of ImageNet.
_base_ = [
    '../_base_/models/i3d_inception.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/i3d_flow.py', '../_base_/schedules/i3d_hmdb51_5k.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(in_channels=2),
    cls_head=dict(num_classes=51),
    data_preprocessor=dict(mean=[0., 0.], std=[20., 20.]))

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=1000))
log_processor = dict(by_epoch=False)

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
