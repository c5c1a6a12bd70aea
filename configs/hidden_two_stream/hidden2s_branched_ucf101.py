_base_ = [
    '../_base_/models/hidden2s_branched.py', '../_base_/datasets/ucf101.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
