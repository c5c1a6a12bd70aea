# Mode (a): MotionNet stays as it is.
_base_ = '../hidden2s_vgg16_hmdb51.py'

model = dict(backbone=dict(train_motion='fixed'))
