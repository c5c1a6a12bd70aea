# How I3D reads videos: 25 frames a second, 64 of them in training and 10 seconds in
# testing, which is how MoNet's features are made; a shorter video starts again.
clip = dict(type='SampleFrames', clip_len=64, target_fps=25)

train_pipeline = [
    dict(type='OpenVideo'), clip,
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomCrop', size=224),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224), *train_pipeline[-2:]
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, clip_len=250, test_mode=True), *val_pipeline[2:]
]

# On 8 GPUs: 64 clips in all, which is our choice.
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True))
test_dataloader = dict(
    val_dataloader,
    batch_size=1,
    dataset=dict(pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
