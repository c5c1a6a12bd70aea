# Stage 1 of 3: a classifier for each stream, on true features.
_base_ = [
    '../_base_/models/monet.py', '../_base_/datasets/kinetics400_features.py',
    '../_base_/pipelines/monet_features.py',
    '../_base_/schedules/monet_classifiers_20e.py',
    '../_base_/default_runtime.py'
]

model = dict(learn='classifiers', neck=None)
default_hooks = dict(checkpoint=dict(save_best='acc/two_stream_top1'))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
