# I3D on RGB: MoNet's appearance features. tools/zoo/convert.py i3d converts the published
# weights; training starts from scratch, not from an inflated network of ImageNet.
_base_ = [
    '_base_/models/i3d_inception.py', '_base_/datasets/kinetics400.py',
    '_base_/pipelines/i3d.py', '_base_/schedules/i3d_kinetics_110k.py',
    '_base_/default_runtime.py'
]

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
log_processor = dict(by_epoch=False)

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
