# R(2+1)D of Tran et al., with mmaction2's temporal strides: half of the frames reach
# layer2, so that 16 give 7 flows after it. Not the (2+1)D network of Representation Flow
# for Action Recognition: its middles are wider.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='RepFlowResNet2Plus1d',
        depth=18,
        flow_after='layer2',
        flow_cfg=dict(bottleneck_channels=32, variant='tvl1', n_iters=20),
        pretrained2d=False,
        conv_cfg=dict(type='Conv2plus1d'),
        conv1_kernel=(3, 7, 7),
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
