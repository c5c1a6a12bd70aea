# Three segments of the video, and ResNet-50 in the place of BN-Inception, which neither
# mmaction2 nor mmcv has; it takes images scaled to about -1 to 1. MotionNet is as
# motionnet_DATASET.py trains it; SSIM counts a tenth of what it does there.
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
            type='ResNet',
            depth=50,
            in_channels=20,
            pretrained='torchvision://resnet50',
            norm_eval=False),
        train_motion='all',
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
        dropout_ratio=0.7,
        average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.0, 117.0, 104.0],
        std=[255.0, 255.0, 255.0],
        format_shape='NCTHW'))
