# Inception-I3D from i3d_inception_kinetics.py's weights. The schedule is that of TSN.
_base_ = [
    '../_base_/models/i3d_inception.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/two_stream_long_clips.py',
    '../_base_/schedules/spatial_3500.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/i3d_inception_kinetics/iter_110000.pth',
            prefix='backbone.')),
    cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
