# One flow between two frames: learned in fewer iterations than ten flows at once
_base_ = '../tinymotionnet_motionshapes.py'

model = dict(backbone=dict(num_frames=2))

train_pipeline = [
    dict(type='OpenVideo', min_frames=2),
    dict(type='SampleFrames', clip_len=2),
    dict(type='DecodeFrames'),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='Flip', flip_ratio=0.5, direction='vertical'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo', min_frames=2),
    dict(type='SampleFrames', clip_len=2, num_clips=3, test_mode=True),
    dict(type='LoadMotionShapesFlow'),
    dict(type='DecodeFrames'),
    dict(type='FormatFlow'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', algorithm_keys=('gt_flow', ))
]
val_pipeline = test_pipeline

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
