# Both streams in one network, for testing and use: train hidden2s_i3d_ucf101.py
# and spatial_i3d_ucf101.py, then tools/zoo/merge_streams.py.
_base_ = [
    '../_base_/models/twostream_i3d.py', '../_base_/datasets/ucf101.py',
    '../_base_/pipelines/two_stream_long_clips.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    spatial=dict(cls_head=dict(num_classes=_base_.num_classes)),
    temporal=dict(cls_head=dict(num_classes=_base_.num_classes)))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
