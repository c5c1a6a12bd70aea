# Stage 2 of 3 on Weizmann: see monet_i3d_kinetics.py.
_base_ = [
    '../_base_/models/monet.py', '../_base_/datasets/weizmann_features.py',
    '../_base_/pipelines/monet_motionshapes.py', '../_base_/schedules/monet_40e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    appearance_head=dict(num_classes=10, in_channels=128),
    flow_head=dict(num_classes=10, in_channels=128),
    neck=dict(in_channels=128, out_channels=128))
optim_wrapper = dict(optimizer=dict(lr=1e-3))

# No clips to validate on, as in repflow_r18_weizmann.py
default_hooks = dict(checkpoint=dict(save_best=None))
load_from = 'work_dirs/monet_r18_weizmann_classifiers/epoch_20.pth'

train_dataloader = dict(batch_size=8, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
auto_scale_lr = dict(base_batch_size=8)
