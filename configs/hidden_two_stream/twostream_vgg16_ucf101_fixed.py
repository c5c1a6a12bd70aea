# Mode (a), of hidden2s_vgg16_ucf101_fixed.py and spatial_vgg16_ucf101.py.
_base_ = 'twostream_vgg16_ucf101.py'

model = dict(temporal=dict(backbone=dict(train_motion='fixed')))
