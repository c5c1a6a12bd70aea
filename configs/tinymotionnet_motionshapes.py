_base_ = [
    '_base_/models/motionnet.py', '_base_/datasets/motionshapes.py',
    '_base_/pipelines/motionshapes_flow.py',
    '_base_/schedules/motionnet_small.py', '_base_/motionnet_runtime.py'
]

# Motion is a pixel or two. With the published weight of 1, networks stay at zero flow,
# the smoothest of all, for hundreds of iterations.
model = dict(
    backbone=dict(type='TinyMotionNet'),
    loss=dict(
        normalization='elements', smoothness_weights=(0.1, 0.1, 0.1)))
default_hooks = dict(
    checkpoint=dict(interval=600, save_best='flow/EPE'))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
