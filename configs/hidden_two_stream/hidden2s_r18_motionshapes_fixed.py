# Mode (a): MotionNet is not trained any more.
_base_ = [
    '../_base_/models/hidden2s_r18.py',
    '../_base_/datasets/motionshapes_11.py', '../_base_/schedules/motionshapes_12e.py',
    '../_base_/default_runtime.py'
]

model = dict(backbone=dict(train_motion='fixed'))
