# BN-Inception of temporal segment networks on frames: one of two streams. Its published
# weights take B, G, R. spatial_tsn.py trains it.
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
        to_rgb=True,  # which exchanges the first and the last color, whatever they are
        format_shape='NCHW'))
