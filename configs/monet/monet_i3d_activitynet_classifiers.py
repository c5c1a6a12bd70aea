# Stage 1 of 3: see monet_i3d_kinetics_classifiers.py.
_base_ = [
    '../_base_/models/monet.py', '../_base_/datasets/activitynet_features.py',
    '../_base_/pipelines/monet_activitynet.py',
    '../_base_/schedules/monet_classifiers_20e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    learn='classifiers',
    per_stream=False,
    appearance_head=dict(num_classes=100, multi_class=True),
    flow_head=dict(num_classes=100, multi_class=True),
    neck=None)

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
