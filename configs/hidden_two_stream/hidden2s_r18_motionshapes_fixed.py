# Mode (a): MotionNet is not trained any more.
_base_ = [
    '../_base_/models/hidden2s_r18.py', '../_base_/datasets/motionshapes.py',
    '../_base_/pipelines/hidden2s_motionshapes.py',
    '../_base_/schedules/motionshapes_12e.py', '../_base_/default_runtime.py'
]

model = dict(backbone=dict(train_motion='fixed'))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
