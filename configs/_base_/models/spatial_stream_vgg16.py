# VGG-16 on frames: one of two streams. spatial_vgg16.py trains it.
spatial_stream = dict(
    type='Recognizer2D',
    backbone=dict(type='VGG16'),
    cls_head=dict(
        type='TSNHead',
        num_classes=101,
        in_channels=4096,
        average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCHW'))
