# The flow to learn from is the pipeline's, of TV-L1; the weight of its loss is our choice.
model = dict(
    type='Recognizer3D',
    backbone=dict(type='ActionFlowNet', depth=18),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(type='SupervisedFlowLoss'),
        loss_weight=0.1),
    cls_head=dict(
        type='FrameAverageHead',
        num_classes=400,
        in_channels=512,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))
