# S3D-G of Xie et al. on RGB frames, scaled to [-1, 1].
model = dict(
    type='Recognizer3D',
    backbone=dict(type='S3D', gating=True),
    cls_head=dict(
        type='I3DHead',
        num_classes=400,
        in_channels=1024,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        format_shape='NCTHW'))
