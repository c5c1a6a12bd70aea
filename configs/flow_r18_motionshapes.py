# The flow features of MoNet's experiments on MotionShapes: a network on the true flow
# between the frames. A single flow shows the class.
_base_ = [
    '_base_/models/frames_r18.py', '_base_/datasets/motionshapes.py',
    '_base_/schedules/motionshapes.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(in_channels=2),
    data_preprocessor=dict(mean=[0., 0.], std=[1., 1.]))

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

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

train_cfg = dict(max_epochs=2)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=1,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=1,
        end=2,
        T_max=1,
        convert_to_iter_based=True)
]
