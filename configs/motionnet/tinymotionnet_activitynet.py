_base_ = '../motionnet_activitynet.py'

model = dict(backbone=dict(type='TinyMotionNet'))
