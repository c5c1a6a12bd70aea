# TV-L1 flow of Kinetics-400 for I3D, computed while the videos are read, at the size to
# which they are scaled and before cropping, as the authors did: slow, but nothing has to
# be extracted beforehand.
_base_ = './kinetics400_i3d.py'

flow_sample = dict(type='SampleFrames', clip_len=65, target_fps=25)

train_pipeline = [
    dict(type='OpenVideo'), flow_sample,
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='TVL1Flow', bound=20),
    dict(type='WithFlow', transform=dict(type='RandomCrop', size=224)),
    dict(type='WithFlow', transform=dict(type='Flip', flip_ratio=0.5)),
    dict(type='FlowAsFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(flow_sample, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='TVL1Flow', bound=20),
    dict(type='WithFlow', transform=dict(type='CenterCrop', crop_size=224)),
    dict(type='FlowAsFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(flow_sample, clip_len=250, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='TVL1Flow', bound=20),
    dict(type='WithFlow', transform=dict(type='CenterCrop', crop_size=224)),
    dict(type='FlowAsFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
