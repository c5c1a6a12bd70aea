# EfficientNet-Lite0 with ImageNet weights on each frame, and the layer after stage 3, on
# maps a quarter of the image's size. That stage ends without an activation, and so does
# the layer: before training, the network is the published one.
weights = dict(pretrained='imagenet', norm_eval=True)

model = dict(
    type='Recognizer3D',
    backbone=dict(type='EfficientNetLite0', stages=(1, 3), **weights),
    neck=dict(
        type='RepFlowNeck',
        in_channels=24,
        flow_cfg=dict(bottleneck_channels=16, act_cfg=None),
        tail=dict(type='EfficientNetLite0', stages=(4, 9), **weights)),
    cls_head=dict(
        type='FrameAverageHead',
        num_classes=10,
        in_channels=1280,
        dropout_ratio=0.2,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127, 127, 127],
        std=[128, 128, 128],
        format_shape='NCTHW'))
