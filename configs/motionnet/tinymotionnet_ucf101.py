_base_ = '../motionnet_ucf101.py'

model = dict(backbone=dict(type='TinyMotionNet'))
