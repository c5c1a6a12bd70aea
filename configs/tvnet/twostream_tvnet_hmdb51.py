# Table 9: "TVNet (+RGB)". Both streams in one network, for testing and use: train
# tvnet_tsn_hmdb51.py and spatial_tsn_hmdb51.py, then tools/zoo/merge_streams.py.
_base_ = 'tvnet_tsn_hmdb51.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
        type='Recognizer2D',
        backbone=dict(type='BNInception'),
        cls_head=dict(
            type='TSNHead',
            num_classes=51,
            in_channels=1024,
            average_clips='score'),
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[104., 117., 123.],
            std=[1., 1., 1.],
            to_rgb=True,  # as in spatial_tsn.py
            format_shape='NCHW')),
    temporal=_base_.model,
    weights=(1., 1.5),
    score_norm='clamp_l1')
