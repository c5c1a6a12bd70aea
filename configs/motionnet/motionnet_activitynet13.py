_base_ = [
    '../_base_/models/motionnet.py', '../_base_/datasets/activitynet13.py',
    '../_base_/pipelines/motionnet_clips.py',
    '../_base_/schedules/motionnet_400k.py', '../_base_/motionnet_runtime.py'
]

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
