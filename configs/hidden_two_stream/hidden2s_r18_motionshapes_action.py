# Mode (b): as hidden2s_r18_motionshapes.py, by the loss of the action alone.
_base_ = '../hidden2s_r18_motionshapes.py'

model = dict(backbone=dict(train_motion='action'))
