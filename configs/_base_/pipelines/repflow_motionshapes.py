# Clips of MotionShapes of 9 frames
train_pipeline = [
    dict(type='OpenVideo', min_frames=9),
    dict(type='SampleFrames', clip_len=9),
    dict(type='DecodeFrames'),
    # A mirrored clip shows the opposite motion: right and left, clockwise and
    # counterclockwise are exchanged.
    dict(type='Flip', flip_ratio=0.5, flip_label_map={0: 1, 1: 0, 4: 5, 5: 4}),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo', min_frames=9),
    dict(type='SampleFrames', clip_len=9, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = test_pipeline

# No workers: decoding a batch takes 60 ms, and CPU training needs all cores.
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
