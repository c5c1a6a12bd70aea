# BN-Inception of temporal segment networks, whose published weights take B, G, R.
model = dict(
    type='Recognizer2D',
    backbone=dict(
        type='BNInception',
        partial_bn=True,
        pretrained='https://data.lip6.fr/cadene/pretrainedmodels/'
        'bn_inception-52deb4733.pth'),
    cls_head=dict(
        type='TSNHead',
        num_classes=101,
        in_channels=1024,
        dropout_ratio=0.8,
        average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[104., 117., 123.],
        std=[1., 1., 1.],
        to_rgb=True,  # which exchanges the first and the last color, whatever they are
        format_shape='NCHW'))
