# The network of the authors' public code, with the defaults of its training but for the
# iterations and the learned parameters, which are the paper's. Frames are scaled to
# [1, -1], as by their loaders.
model = dict(
    type='Recognizer3D',
    backbone=dict(type='RepFlowFcfResNet3d', depth=50, n_iters=20),
    cls_head=dict(
        type='FrameAverageHead',
        num_classes=400,
        in_channels=2048,
        dropout_ratio=0.3,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[-127.5, -127.5, -127.5],
        format_shape='NCTHW'),
    # Views are normalized together: each alone is independent of the others.
    test_cfg=dict(max_testing_views=1))
