# With the true flow instead of the unsupervised losses
_base_ = '../tinymotionnet_motionshapes.py'

model = dict(loss=dict(_delete_=True, type='SupervisedFlowLoss'))

clip_len = 11
train_pipeline = [
    dict(type='OpenVideo', min_frames=clip_len),
    dict(type='SampleFrames', clip_len=clip_len),
    dict(type='LoadMotionShapesFlow'),
    dict(type='DecodeFrames'),
    dict(type='TransformWithFlow', transform=dict(type='Flip', flip_ratio=0.5)),
    dict(
        type='TransformWithFlow',
        transform=dict(type='Flip', flip_ratio=0.5, direction='vertical')),
    dict(type='FormatFlow'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', algorithm_keys=('gt_flow', ))
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
