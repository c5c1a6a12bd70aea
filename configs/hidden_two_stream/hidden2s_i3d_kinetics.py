# Stage 3 of 3, mode (c): from hidden2s_i3d_kinetics_temporal.py, end to end.
# The schedule is that of UCF101; the paper does not train on this dataset.
_base_ = [
    '../_base_/models/hidden2s_i3d.py', '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/two_stream_long_clips.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

load_from = 'work_dirs/hidden2s_i3d_kinetics_temporal/iter_320000.pth'
model = dict(cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(dataset=dict(_base_.train_data, num_classes=400))
val_dataloader = dict(dataset=dict(_base_.val_data, num_classes=400))
test_dataloader = dict(dataset=dict(_base_.test_data, num_classes=400))
