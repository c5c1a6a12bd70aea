# i3d_inception.py and hidden2s_i3d.py, fused with the weights of VGG-16's streams.
_base_ = 'hidden2s_i3d.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
        type='Recognizer3D',
        backbone=dict(type='InceptionI3D'),
        cls_head=dict(
            type='InceptionI3DHead',
            num_classes=101,
            in_channels=1024,
            average_clips='prob'),
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[127.5, 127.5, 127.5],
            std=[127.5, 127.5, 127.5],
            format_shape='NCTHW')),
    temporal=_base_.model,
    weights=(1., 1.5))
