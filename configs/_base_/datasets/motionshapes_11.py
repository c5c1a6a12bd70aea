# Clips of 11 frames, as MotionNet's
_base_ = './motionshapes.py'

clip_len = 11

train_pipeline = [
    dict(type='OpenVideo', min_frames=clip_len),
    dict(type='SampleFrames', clip_len=clip_len),
    dict(type='DecodeFrames'),
    dict(type='Flip', flip_ratio=0.5, flip_label_map={0: 1, 1: 0, 4: 5, 5: 4}),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo', min_frames=clip_len),
    dict(type='SampleFrames', clip_len=clip_len, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename'))
]
val_pipeline = test_pipeline

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
