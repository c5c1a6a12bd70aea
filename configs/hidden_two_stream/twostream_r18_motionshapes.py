# Both streams in one network, for testing and use: train hidden2s_r18_motionshapes.py
# and tsn_r18_motionshapes.py, then tools/zoo/merge_streams.py.
_base_ = '../hidden2s_r18_motionshapes.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
        type='Recognizer2D',
        backbone=dict(type='ResNet', depth=18),
        cls_head=dict(
            type='TSNHead',
            num_classes=8,
            in_channels=512,
            average_clips='prob'),
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            format_shape='NCHW')),
    temporal=_base_.model,
    weights=(1., 1.5))
