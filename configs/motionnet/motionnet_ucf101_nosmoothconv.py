# The paper's ablation: without convolutions between the deconvolutions.
_base_ = '../motionnet_ucf101.py'

model = dict(backbone=dict(smooth_convs=False))
