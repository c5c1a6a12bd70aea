# Stage 3 of 3, mode (c): from hidden2s_vgg16_hmdb51_temporal.py, end to end.
_base_ = [
    '_base_/models/hidden2s_vgg16.py', '_base_/datasets/hmdb51.py',
    '_base_/pipelines/two_stream_clips.py',
    '_base_/schedules/hidden2s_8500.py', '_base_/two_stream_runtime.py'
]

load_from = 'work_dirs/hidden2s_vgg16_hmdb51_temporal/iter_320000.pth'
model = dict(cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
