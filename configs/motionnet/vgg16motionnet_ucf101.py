# VGG16's layers as the encoder, from the paper's architecture search.
_base_ = '../motionnet_ucf101.py'

model = dict(backbone=dict(type='VGG16MotionNet'))
