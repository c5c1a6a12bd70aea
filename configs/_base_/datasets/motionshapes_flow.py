# MotionShapes for motion estimators: 10 flows a clip; the true flow in validation and
# test only.
_base_ = './motionshapes.py'

clip_len = 11

train_pipeline = [
    dict(type='OpenVideo', min_frames=clip_len),
    dict(type='SampleFrames', clip_len=clip_len),
    dict(type='DecodeFrames'),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='Flip', flip_ratio=0.5, direction='vertical'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo', min_frames=clip_len),
    dict(type='SampleFrames', clip_len=clip_len, test_mode=True),
    dict(type='LoadMotionShapesFlow'),
    dict(type='DecodeFrames'),
    dict(type='FormatFlow'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', algorithm_keys=('gt_flow', ))
]
val_pipeline = test_pipeline

train_dataloader = dict(
    batch_size=4,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=16, dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(batch_size=16, dataset=dict(pipeline=test_pipeline))

val_evaluator = dict(type='FlowMetric')
test_evaluator = val_evaluator
