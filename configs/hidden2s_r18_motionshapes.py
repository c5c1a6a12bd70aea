# Mode (c): from the networks of mode (a), hidden2s_r18_motionshapes_fixed.py, end to end
# by the loss of the action and MotionNet's own losses.
_base_ = [
    '_base_/models/hidden2s_r18.py', '_base_/datasets/motionshapes.py',
    '_base_/pipelines/hidden2s_motionshapes.py',
    '_base_/schedules/motionshapes_end2end.py', '_base_/default_runtime.py'
]

load_from = 'work_dirs/hidden2s_r18_motionshapes_fixed/epoch_12.pth'

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
