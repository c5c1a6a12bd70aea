# The flow features of MoNet's experiments on MotionShapes: a network on the true flow
# between the frames, each on its own: a ResNet-18 of a quarter of the width, SlowOnly
# without temporal convolutions.
_base_ = [
    '../_base_/datasets/motionshapes.py',
    '../_base_/pipelines/repflow_motionshapes.py',
    '../_base_/schedules/motionshapes_2e.py', '../_base_/default_runtime.py'
]

model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3dSlowOnly',
        depth=18,
        pretrained=None,
        base_channels=16,
        in_channels=2,
        conv1_kernel=(1, 7, 7),
        inflate=(0, 0, 0, 0)),
    cls_head=dict(
        type='I3DHead',
        num_classes=8,
        in_channels=128,
        dropout_ratio=0.2,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[0., 0.],
        std=[1., 1.],
        format_shape='NCTHW'))

train_pipeline = [
    dict(type='OpenVideo', min_frames=3),
    dict(type='SampleFrames', clip_len=3),
    dict(type='DecodeFrames'),
    dict(type='LoadMotionShapesFlow'),
    dict(type='FlowAsFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo', min_frames=16),
    dict(type='SampleFrames', clip_len=16, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='LoadMotionShapesFlow'),
    dict(type='FlowAsFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(
    dataset=dict(_base_.train_data, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(_base_.val_data, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(_base_.test_data, pipeline=test_pipeline))
