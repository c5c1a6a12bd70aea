# Stage 1 of 3 on Weizmann: see monet_i3d_kinetics_classifiers.py.
_base_ = [
    '../_base_/models/monet.py', '../_base_/datasets/weizmann_features.py',
    '../_base_/pipelines/monet_motionshapes.py',
    '../_base_/schedules/monet_classifiers_20e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    learn='classifiers',
    appearance_head=dict(num_classes=10, in_channels=128),
    flow_head=dict(num_classes=10, in_channels=128),
    neck=None)
optim_wrapper = dict(optimizer=dict(lr=1e-2))

# No clips to validate on, as in repflow_r18_weizmann.py
default_hooks = dict(checkpoint=dict(save_best=None))

train_dataloader = dict(batch_size=8, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
auto_scale_lr = dict(base_batch_size=8)
