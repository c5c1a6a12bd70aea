# Temporal segment networks: repflow_r18_weizmann_rgb.py's network on a frame of each of
# eight parts of a video, instead of eight neighbors. Scores of frames are averaged.
_base_ = '../repflow_r18_weizmann.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))

segments = dict(type='UniformSample', clip_len=8)
train_pipeline = [
    _base_.train_pipeline[0], segments, *_base_.train_pipeline[2:]
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(segments, num_clips=10, test_mode=True), *_base_.test_pipeline[2:]
]
val_pipeline = test_pipeline

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
