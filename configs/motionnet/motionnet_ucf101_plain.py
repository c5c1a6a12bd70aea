# The paper's ablation: without all four.
_base_ = '../motionnet_ucf101.py'

model = dict(
    backbone=dict(kernels=(7, 5, 5), smooth_convs=False),
    loss=dict(
        smoothness_weights=(0, 0, 0, 0, 0), ssim_weights=(0, 0, 0, 0, 0)))
