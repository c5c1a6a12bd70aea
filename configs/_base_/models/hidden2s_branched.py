# The worse alternative of the paper: fully connected layers on MotionNet's own features.
_base_ = './hidden2s_vgg16.py'

model = dict(
    backbone=dict(
        type='BranchedTemporalStream',
        temporal=dict(
            _delete_=True,
            type='VGGClassifier',
            in_channels=1024,
            dropout_ratio=0.9)))
