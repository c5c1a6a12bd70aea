model = dict(
    type='MotionEstimator',
    backbone=dict(type='MotionNet', num_frames=11),
    # as published, for batches of 16 clips
    loss=dict(type='UnsupervisedFlowLoss', normalization='caffe'),
    # RGB minus its mean, divided by 255
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123., 117., 104.],
        std=[255., 255., 255.],
        format_shape='NCTHW'))
