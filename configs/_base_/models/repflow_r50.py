# The variant is what the authors trained. With the Sobel filters that the paper writes
# (variant='paper'), which multiply derivatives by 8, the initial theta smooths far too
# much, and training spends its first epochs on lowering it.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='RepFlowResNet',
        depth=50,
        flow_after='layer2',
        flow_cfg=dict(bottleneck_channels=32, variant='tvl1', n_iters=20)),
    cls_head=dict(
        type='FrameAverageHead',
        num_classes=400,
        in_channels=2048,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))
