# MotionShapes for motion estimators of one flow between two frames
train_pipeline = [
    dict(type='OpenVideo', min_frames=2),
    dict(type='SampleFrames', clip_len=2),
    dict(type='DecodeFrames'),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='Flip', flip_ratio=0.5, direction='vertical'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo', min_frames=2),
    dict(type='SampleFrames', clip_len=2, num_clips=3, test_mode=True),
    dict(type='LoadMotionShapesFlow'),
    dict(type='DecodeFrames'),
    dict(type='FormatFlow'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', algorithm_keys=('gt_flow', ))
]
val_pipeline = test_pipeline

train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='FlowMetric')
test_evaluator = val_evaluator
