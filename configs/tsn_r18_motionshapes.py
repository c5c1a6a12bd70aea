# The control: mmaction2's own TSN on one frame of each clip, which says nothing about
# the class. Same clips and same schedule as repflow_r18_motionshapes.py.
_base_ = [
    'mmaction::_base_/models/tsn_r50.py', '_base_/datasets/motionshapes.py',
    '_base_/pipelines/repflow_motionshapes.py',
    '_base_/schedules/motionshapes_12e.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=18, pretrained=None),
    cls_head=dict(num_classes=8, in_channels=512))

train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleFrames', clip_len=1),
    dict(type='DecodeFrames'),
    dict(type='Flip', flip_ratio=0.5, flip_label_map={0: 1, 1: 0, 4: 5, 5: 4}),
    dict(type='FormatShape', input_format='NCHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleFrames', clip_len=1, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='FormatShape', input_format='NCHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(
    dataset=dict(_base_.train_data, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(_base_.val_data, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(_base_.test_data, pipeline=test_pipeline))
