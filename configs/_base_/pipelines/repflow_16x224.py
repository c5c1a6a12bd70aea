# How representation-flow networks read videos, as in Representation Flow for Action
# Recognition, table 8: 16 frames at 224 x 224, every second one, and one clip of a
# test video, as the authors' code. A shorter video repeats its last frame: going back to
# its first one, as mmaction2's default does, would look like motion.
clip = dict(
    type='SampleFrames', clip_len=16, frame_interval=2, out_of_bound_opt='repeat_last')

train_pipeline = [
    dict(type='OpenVideo'), clip,
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
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
test_pipeline = val_pipeline

# On 4 GPUs: 32 clips in all.
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
