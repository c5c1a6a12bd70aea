# Stage 2 of 3: see monet_i3d_kinetics.py.
_base_ = [
    '_base_/models/monet.py', '_base_/datasets/ucf101_features.py',
    '_base_/pipelines/monet_features.py', '_base_/schedules/monet_40e.py',
    '_base_/default_runtime.py'
]

model = dict(
    appearance_head=dict(num_classes=101),
    flow_head=dict(num_classes=101))
default_hooks = dict(checkpoint=dict(save_best='acc/flow_top1'))
load_from = 'work_dirs/monet_i3d_ucf101_classifiers/epoch_20.pth'

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
