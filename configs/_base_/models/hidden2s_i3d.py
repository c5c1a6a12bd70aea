# The sequence of flows under a 3D network: mmaction2's I3D, an inflated ResNet-50. Clips
# of 31 frames are three windows of MotionNet, which is as motionnet_DATASET.py trains it;
# SSIM counts a tenth of what it does there.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='StackedTemporalStream',
        motion_net=dict(
            type='MotionNet',
            num_frames=11,
            init_cfg=dict(
                type='Pretrained',
                checkpoint='work_dirs/motionnet_ucf101/iter_400000.pth',
                prefix='backbone.')),
        temporal=dict(
            type='ResNet3d',
            depth=50,
            in_channels=2,
            pretrained2d=True,
            pretrained='torchvision://resnet50',
            conv1_kernel=(5, 7, 7),
            conv1_stride_t=2,
            pool1_stride_t=2,
            conv_cfg=dict(type='Conv3d'),
            norm_eval=False,
            inflate=((1, 1, 1), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0)),
            zero_init_residual=False),
        train_motion='all',
        layout='time',
        flow_to_image=dict(mean=128.0, std=128.0)),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(
            type='UnsupervisedFlowLoss',
            ssim_weights=(0.001, 0.002, 0.004, 0.008, 0.016))),
    cls_head=dict(
        type='ClipConsensusHead',
        num_classes=101,
        in_channels=2048,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.0, 117.0, 104.0],
        std=[255.0, 255.0, 255.0],
        format_shape='NCTHW'))
