# The appearance features of MoNet's experiments on MotionShapes: the quick start's
# network after two epochs, which leaves something to be learned from flow.
_base_ = [
    '../_base_/models/repflow_r18.py', '../_base_/datasets/motionshapes.py',
    '../_base_/pipelines/repflow_motionshapes.py',
    '../_base_/schedules/motionshapes_2e.py', '../_base_/default_runtime.py'
]

test_pipeline = [
    dict(type='OpenVideo', min_frames=16),
    dict(type='SampleFrames', clip_len=16, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=dict(_base_.val_data, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(_base_.test_data, pipeline=test_pipeline))
