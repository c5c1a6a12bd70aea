# Table 8, "ours": frames of 224 x 224. The paper says no more; network, layer, learning
# and frames are those of its other rows on Mini-Kinetics.
_base_ = 'repflow_r34_minikinetics.py'

sample = dict(
    type='SampleFrames',
    clip_len=16,
    frame_interval=2,
    out_of_bound_opt='repeat_last')
train_pipeline = [
    dict(type='OpenVideo'), sample, *_base_.repflow_train_pipeline[2:]
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, test_mode=True), *_base_.repflow_val_pipeline[2:]
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, num_clips=10, test_mode=True),
    *_base_.repflow_test_pipeline[2:]
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
