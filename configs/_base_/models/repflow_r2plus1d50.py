# The paper's (2+1)D ResNet, of convolutions in time and in space at the plain width. Its
# max-pooling and its last three stages halve the number of frames: of 32, 8 reach the
# layer, of 16 only 4.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='RepFlowSeparableResNet3d',
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
