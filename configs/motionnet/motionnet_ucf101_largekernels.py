# The paper's ablation: without the small kernels for small displacements.
_base_ = '../motionnet_ucf101.py'

model = dict(backbone=dict(kernels=(7, 5, 5)))
