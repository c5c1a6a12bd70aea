_base_ = 'motionnet_activitynet13.py'

model = dict(backbone=dict(type='TinyMotionNet'))
