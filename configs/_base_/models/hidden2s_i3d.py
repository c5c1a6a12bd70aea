# The sequence of flows under Inception-I3D, which takes flow in [-1, 1]. Clips of 31
# frames are three windows of MotionNet, whose losses are as published, for the 24 windows
# of a batch; SSIM counts a tenth of what it does in MotionNet's own training.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='StackedTemporalStream',
        motion_net=dict(type='MotionNet', num_frames=11),
        temporal=dict(type='InceptionI3D', in_channels=2),
        train_motion='all',
        layout='time',
        flow_to_image=dict(mean=127.5, std=127.5)),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(
            type='UnsupervisedFlowLoss',
            normalization='caffe',
            caffe_mask=(24, 30),
            ssim_weights=(0.001, 0.002, 0.004, 0.008, 0.016))),
    cls_head=dict(
        type='InceptionI3DHead',
        num_classes=101,
        in_channels=1024,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.0, 117.0, 104.0],
        std=[255.0, 255.0, 255.0],
        format_shape='NCTHW'))
