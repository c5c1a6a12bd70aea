# The paper's ablation: without the SSIM term.
_base_ = '../motionnet_ucf101.py'

model = dict(loss=dict(ssim_weights=(0, 0, 0, 0, 0)))
