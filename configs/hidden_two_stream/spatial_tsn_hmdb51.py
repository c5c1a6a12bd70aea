_base_ = [
    'mmaction::_base_/models/tsn_r50.py', '../_base_/datasets/hmdb51.py',
    '../_base_/schedules/spatial_3500.py', '../_base_/two_stream_runtime.py'
]

model = dict(cls_head=dict(num_classes=_base_.num_classes, average_clips='score'))

train_dataloader = dict(
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=_base_.frame_segments_train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.frame_val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.frame_test_pipeline))
test_pipeline = _base_.frame_test_pipeline
