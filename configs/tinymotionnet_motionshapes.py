_base_ = './motionnet_motionshapes.py'

model = dict(backbone=dict(type='TinyMotionNet'))
