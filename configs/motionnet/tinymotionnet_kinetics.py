_base_ = '../motionnet_kinetics.py'

model = dict(backbone=dict(type='TinyMotionNet'))
