# How the spatial stream reads videos: single frames of 340 x 256 pixels, of which
# 224 x 224 are cropped; tested on 25 frames x 10 crops.
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
# The file's name goes with the scores, so that those of two streams can be matched.
pack = [
    dict(type='FormatShape', input_format='NCHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename'))
]

clip = dict(type='SampleFrames', clip_len=1)
train_pipeline = [dict(type='OpenVideo'), clip, *augment, *pack]
# three of them from three segments of the video (TSN)
segments_train_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, num_clips=3), *augment, *pack
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, test_mode=True), *read,
    dict(type='CenterCrop', crop_size=224), *pack
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, num_clips=25, test_mode=True), *read,
    dict(type='TenCrop', crop_size=224), *pack
]

loader = dict(num_workers=8, persistent_workers=True)
train_dataloader = dict(
    batch_size=8,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline),
    **loader)
val_dataloader = dict(
    batch_size=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True),
    **loader)
test_dataloader = dict(
    batch_size=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True),
    **loader)

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
