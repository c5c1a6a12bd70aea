# The temporal stream of two-stage networks, with which hidden two-stream networks are
# compared: VGG-16 on a stack of ten TV-L1 flows
_base_ = [
    '../_base_/models/spatial_vgg16.py', '../_base_/datasets/ucf101.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/spatial_3500.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(in_channels=20),
    cls_head=dict(num_classes=_base_.num_classes),
    data_preprocessor=dict(
        _delete_=True,
        type='TVL1DataPreprocessor',
        preset='cuda',
        mean=[128.],
        std=[1.],
        format_shape='NCHW'))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
