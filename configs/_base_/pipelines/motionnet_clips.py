# How MotionNet reads videos: clips of 11 frames (10 flows) of 340 x 256 pixels, of which
# 224 x 224 are cropped. A shorter video repeats its last frame, as going back to its
# first one would look like motion.
read = [
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(340, 256), keep_ratio=False)
]
augment = [
    *read,
    dict(
        type='MultiScaleCrop',
        input_size=224,
        scales=(1, 0.875, 0.75),
        max_wh_scale_gap=1),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5)
]
pack = [
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename'))
]

clip = dict(
    type='SampleFrames', clip_len=11, out_of_bound_opt='repeat_last')
train_pipeline = [dict(type='OpenVideo'), clip, *augment, *pack]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, test_mode=True), *read,
    dict(type='CenterCrop', crop_size=224), *pack
]
test_pipeline = val_pipeline

loader = dict(num_workers=8, persistent_workers=True)
train_dataloader = dict(
    batch_size=16,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline),
    **loader)
val_dataloader = dict(
    batch_size=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True),
    **loader)
test_dataloader = val_dataloader

val_evaluator = dict(type='FlowMetric')
test_evaluator = val_evaluator
