# Hidden Two-Stream Convolutional Networks, stacked temporal stream: MotionNet's flow as
# a stack of 20 channels under VGG-16. backbone.train_motion: 'fixed', 'action' (trained
# by the loss of the action) or 'all' (and by MotionNet's own losses).
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='StackedTemporalStream',
        motion_net=dict(type='MotionNet', num_frames=11),
        temporal=dict(type='VGG16', in_channels=20, dropout_ratio=0.9),
        train_motion='all'),
    neck=dict(
        type='MotionLossNeck',
        # as published, for batches of 8 clips; SSIM counts a tenth of what it does in
        # MotionNet's own training
        loss=dict(
            type='UnsupervisedFlowLoss',
            normalization='caffe',
            caffe_mask=(8, 30),
            ssim_weights=(0.001, 0.002, 0.004, 0.008, 0.016))),
    cls_head=dict(
        type='ClipConsensusHead',
        num_classes=101,
        in_channels=4096,
        dropout_ratio=0.8,
        average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123., 117., 104.],
        std=[255., 255., 255.],
        format_shape='NCTHW'))
