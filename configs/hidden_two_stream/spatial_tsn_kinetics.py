# The schedule is that of UCF101; the paper does not train on this dataset.
_base_ = [
    '../_base_/models/spatial_tsn.py', '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/two_stream_frames.py',
    '../_base_/schedules/spatial_3500.py', '../_base_/two_stream_runtime.py'
]

model = dict(cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(
    dataset=dict(
        _base_.train_data,
        num_classes=400,
        pipeline=_base_.segments_train_pipeline))
val_dataloader = dict(dataset=dict(_base_.val_data, num_classes=400))
test_dataloader = dict(dataset=dict(_base_.test_data, num_classes=400))
