# How representation-flow networks read videos: 32 consecutive frames at 224 x 224, as in
# Representation Flow for Action Recognition. A shorter video repeats its last frame:
# going back to its first one, as mmaction2's default does, would look like motion.
repflow_clip = dict(
    type='SampleFrames', clip_len=32, out_of_bound_opt='repeat_last')

repflow_train_pipeline = [
    dict(type='OpenVideo'), repflow_clip,
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
repflow_val_pipeline = [
    dict(type='OpenVideo'),
    dict(repflow_clip, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
# Scores of a test video are averaged over ten clips and three crops of each.
repflow_test_pipeline = [
    dict(type='OpenVideo'),
    dict(repflow_clip, num_clips=10, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='ThreeCrop', crop_size=256),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
