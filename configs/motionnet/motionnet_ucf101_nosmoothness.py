# The paper's ablation: without the smoothness term.
_base_ = '../motionnet_ucf101.py'

model = dict(loss=dict(smoothness_weights=(0, 0, 0, 0, 0)))
