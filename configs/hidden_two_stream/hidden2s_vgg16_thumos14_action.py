# Mode (b): MotionNet learns from the action's loss alone.
_base_ = '../hidden2s_vgg16_thumos14.py'

model = dict(backbone=dict(train_motion='action'))
