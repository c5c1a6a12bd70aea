model = dict(
    type='MotionEstimator',
    backbone=dict(type='MotionNet', num_frames=11),
    loss=dict(type='UnsupervisedFlowLoss'),
    # RGB minus its mean, divided by 255
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123., 117., 104.],
        std=[255., 255., 255.],
        format_shape='NCTHW'))
