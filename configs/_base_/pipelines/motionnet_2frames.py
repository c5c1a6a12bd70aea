# Two frames of small frames, for an hour on a CPU and a folder of clips. Frames are two
# apart, which gives larger motion; two pairs are taken from each video.
clip = dict(
    type='SampleFrames',
    clip_len=2,
    frame_interval=2,
    out_of_bound_opt='repeat_last')
train_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, num_clips=2),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(170, 128), keep_ratio=False),
    dict(type='RandomCrop', size=64),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(170, 128), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = test_pipeline

train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='FlowMetric')
test_evaluator = val_evaluator
