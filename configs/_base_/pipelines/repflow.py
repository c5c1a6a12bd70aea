# How representation-flow networks read videos, as in Representation Flow for Action
# Recognition. A shorter video repeats its last frame: going back to its first one, as
# mmaction2's default does, would look like motion.

# Table 9: 32 consecutive frames at 224 x 224.
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

# Table 8: 16 frames, every second one, as the authors' loader takes them.
repflow_16_clip = dict(repflow_clip, clip_len=16, frame_interval=2)

repflow_16_train_pipeline = [
    dict(type='OpenVideo'), repflow_16_clip, *repflow_train_pipeline[2:]
]
repflow_16_val_pipeline = [
    dict(type='OpenVideo'),
    dict(repflow_16_clip, test_mode=True), *repflow_val_pipeline[2:]
]
repflow_16_test_pipeline = [
    dict(type='OpenVideo'),
    dict(repflow_16_clip, num_clips=10, test_mode=True),
    *repflow_test_pipeline[2:]
]

# Tables 1 to 7: these frames at 112 x 112.
repflow_112_train_pipeline = [
    dict(type='OpenVideo'), repflow_16_clip,
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 128)),
    dict(type='RandomCrop', size=112),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
repflow_112_val_pipeline = [
    dict(type='OpenVideo'),
    dict(repflow_16_clip, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 128)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
# Scores are averaged over ten clips; the paper does not say over how many.
repflow_112_test_pipeline = [
    dict(type='OpenVideo'),
    dict(repflow_16_clip, num_clips=10, test_mode=True),
    *repflow_112_val_pipeline[2:]
]
