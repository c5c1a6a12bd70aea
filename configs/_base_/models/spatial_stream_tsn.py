# BN-Inception on frames, as spatial_tsn.py trains it: one of two streams.
spatial_stream = dict(
    type='Recognizer2D',
    backbone=dict(type='BNInception'),
    cls_head=dict(
        type='TSNHead',
        num_classes=101,
        in_channels=1024,
        average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[104., 117., 123.],
        std=[1., 1., 1.],
        to_rgb=True,  # as in spatial_tsn.py
        format_shape='NCHW'))
