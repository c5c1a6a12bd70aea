# A quarter of ResNet-18's width: minutes of training on a laptop's CPU. The clips are
# small, hence the flow after the first convolution: after layer1 the maps are 16x16, too
# coarse to tell clockwise from counterclockwise.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='RepFlowResNet',
        depth=18,
        flow_after='conv1',
        flow_cfg=dict(bottleneck_channels=8, variant='tvl1', n_iters=20),
        base_channels=16),
    cls_head=dict(
        type='FrameAverageHead',
        num_classes=8,
        in_channels=128,
        dropout_ratio=0.2,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))
