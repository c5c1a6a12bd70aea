# Stage 3 of 3, mode (c): from hidden2s_vgg16_thumos14_temporal.py, end to end.
# The schedule is that of UCF101; the paper gives none for this dataset.
_base_ = [
    '_base_/models/hidden2s_vgg16.py', '_base_/datasets/thumos14.py',
    '_base_/pipelines/two_stream_clips.py', '_base_/schedules/hidden2s_16k.py',
    '_base_/two_stream_runtime.py'
]

load_from = 'work_dirs/hidden2s_vgg16_thumos14_temporal/iter_320000.pth'
model = dict(cls_head=dict(num_classes=_base_.num_classes, average_clips='prob'))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
