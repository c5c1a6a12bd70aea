# The authors' 3D ResNet-18, from inflated ImageNet weights (table 6). Its max-pooling and
# its last three stages halve the number of frames: of 16, 4 reach the layer.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='RepFlowResNet3d',
        depth=18,
        flow_after='layer2',
        flow_cfg=dict(bottleneck_channels=32, variant='tvl1', n_iters=20),
        pretrained='https://download.pytorch.org/models/resnet18-f37072fd.pth',
        conv1_kernel=(7, 7, 7),
        pool1_kernel_t=3,
        pool1_stride_t=2,
        with_pool2=False,
        inflate_style='3x3x3',
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False),
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
