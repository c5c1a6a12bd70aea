# The schedule is that of UCF101; the paper gives none for this dataset.
_base_ = [
    '../_base_/models/spatial_tsn.py', '../_base_/datasets/thumos14.py',
    '../_base_/pipelines/two_stream_frames.py',
    '../_base_/schedules/spatial_3500.py', '../_base_/two_stream_runtime.py'
]

model = dict(cls_head=dict(num_classes=_base_.num_classes, average_clips='prob'))

train_dataloader = dict(
    dataset=dict(_base_.train_data, pipeline=_base_.segments_train_pipeline))
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
