# S3D-G on RGB: "S3D" of the representation-flow paper's table 9. Training starts from
# scratch, the authors' from an inflated network of ImageNet.
_base_ = [
    '../_base_/models/s3dg_inception.py', '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/i3d.py', '../_base_/schedules/s3d_kinetics_80k.py',
    '../_base_/default_runtime.py'
]

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
log_processor = dict(by_epoch=False)

train_dataloader = dict(batch_size=6, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
