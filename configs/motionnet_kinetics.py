_base_ = [
    '_base_/models/motionnet.py', '_base_/datasets/kinetics400.py',
    '_base_/pipelines/motionnet_clips.py', '_base_/schedules/motionnet_400k.py',
    '_base_/motionnet_runtime.py'
]

train_dataloader = dict(dataset=dict(_base_.train_data, num_classes=400))
val_dataloader = dict(dataset=dict(_base_.val_data, num_classes=400))
test_dataloader = dict(dataset=dict(_base_.test_data, num_classes=400))
