# A quarter of the channels, input and schedule as repflow_r18_weizmann.py's
_base_ = '../repflow_r18_weizmann.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='S3D',
        gating=True,
        width=0.25,
        norm_cfg=dict(type='BN3d')),
    cls_head=dict(
        _delete_=True,
        type='I3DHead',
        num_classes=10,
        in_channels=256,
        dropout_ratio=0.2,
        label_smooth_eps=0.1,
        average_clips='prob'))

# what benchmarks/comparison.py found
optim_wrapper = dict(optimizer=dict(lr=3e-3))
