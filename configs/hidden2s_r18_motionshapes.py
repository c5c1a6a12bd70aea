# Mode (c): from the networks of mode (a), hidden2s_r18_motionshapes_fixed.py, end to end
# by the loss of the action and MotionNet's own losses.
_base_ = './hidden2s_r18_motionshapes_fixed.py'

model = dict(backbone=dict(train_motion='all'))
load_from = 'work_dirs/hidden2s_r18_motionshapes_fixed/epoch_12.pth'
