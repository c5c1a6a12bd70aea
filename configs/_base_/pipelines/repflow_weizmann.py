# Videos have 144x180 pixels, 25 frames per second and 36 frames or more; the camera stands
# still, and people fill a third to a half of the height.
clip = dict(type='SampleFrames', clip_len=8, frame_interval=2)

train_pipeline = [
    dict(type='OpenVideo'), clip,
    dict(type='DecodeFrames'),
    dict(type='MotionCrop', scale=(115, 96)),
    dict(
        type='RandomResizedCrop',
        area_range=(0.6, 1.0),
        aspect_ratio_range=(1.0, 1.5)),
    dict(type='Resize', scale=(96, 80), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter', hue=0),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, num_clips=10, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='MotionCrop', scale=(96, 80)),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = test_pipeline

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
