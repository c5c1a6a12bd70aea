# Mode (a), of hidden2s_vgg16_ucf101_fixed.py and spatial_vgg16_ucf101.py.
_base_ = [
    '../_base_/models/twostream_vgg16.py', '../_base_/datasets/ucf101.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    spatial=dict(cls_head=dict(num_classes=_base_.num_classes)),
    temporal=dict(
        backbone=dict(train_motion='fixed'),
        cls_head=dict(num_classes=_base_.num_classes)))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
