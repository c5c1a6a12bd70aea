_base_ = 'motionnet_kinetics700.py'

model = dict(backbone=dict(type='TinyMotionNet'))
