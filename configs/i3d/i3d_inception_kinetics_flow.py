# I3D on TV-L1 flow, cut off at 20 pixels and scaled to [-1, 1]: MoNet's flow features.
_base_ = [
    '../_base_/models/i3d_inception.py', '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/i3d_flow.py',
    '../_base_/schedules/i3d_kinetics_110k.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(in_channels=2),
    data_preprocessor=dict(mean=[0., 0.], std=[20., 20.]))

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
log_processor = dict(by_epoch=False)

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
