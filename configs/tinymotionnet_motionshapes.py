_base_ = 'motionnet/motionnet_motionshapes.py'

model = dict(
    backbone=dict(type='TinyMotionNet'),
    loss=dict(smoothness_weights=(0.1, 0.1, 0.1)))
