# The appearance features of MoNet's experiments on MotionShapes. A single frame says
# nothing about the class, so that nothing could be learned from it: the network keeps
# its random weights, and its features are pooled to a grid, so that they tell where
# things are (tools/data/extract_features.py --grid).
_base_ = [
    '_base_/models/frames_r18.py', '_base_/datasets/motionshapes.py',
    '_base_/schedules/motionshapes.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        num_stages=1,
        out_indices=(0, ),
        spatial_strides=(1, ),
        temporal_strides=(1, ),
        dilations=(1, ),
        inflate=(0, )),
    cls_head=dict(in_channels=16))

test_pipeline = [
    dict(type='OpenVideo', min_frames=16),
    dict(type='SampleFrames', clip_len=16, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
