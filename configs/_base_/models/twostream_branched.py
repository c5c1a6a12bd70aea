# spatial_vgg16.py and hidden2s_branched.py, fused as the released code does with stacks.
_base_ = 'hidden2s_branched.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
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
            format_shape='NCHW')),
    temporal=_base_.model,
    weights=(1., 1.5),
    score_norm='clamp_l1')
