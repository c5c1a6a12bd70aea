_base_ = '../motionnet_thumos14.py'

model = dict(backbone=dict(type='TinyMotionNet'))
