_base_ = '../motionnet_hmdb51.py'

model = dict(backbone=dict(type='TinyMotionNet'))
