# Mode (a): hidden2s_r18_weizmann.py, in which MotionNet is not trained any more.
_base_ = '../hidden2s_r18_weizmann.py'

model = dict(backbone=dict(train_motion='fixed'), neck=None)
