_base_ = 'motionnet_kinetics600.py'

model = dict(backbone=dict(type='TinyMotionNet'))
