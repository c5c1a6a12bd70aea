# Three segments of each video under BN-Inception. MotionNet's losses are as published,
# for the 24 clips of a batch; SSIM counts a tenth of what it does in MotionNet's own
# training.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='StackedTemporalStream',
        motion_net=dict(type='MotionNet', num_frames=11),
        temporal=dict(type='BNInception', in_channels=20, partial_bn=True),
        train_motion='all'),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(
            type='UnsupervisedFlowLoss',
            normalization='caffe',
            caffe_mask=(24, 30),
            ssim_weights=(0.001, 0.002, 0.004, 0.008, 0.016))),
    cls_head=dict(
        type='ClipConsensusHead',
        num_classes=101,
        in_channels=1024,
        dropout_ratio=0.7,
        average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.0, 117.0, 104.0],
        std=[255.0, 255.0, 255.0],
        format_shape='NCTHW'))
