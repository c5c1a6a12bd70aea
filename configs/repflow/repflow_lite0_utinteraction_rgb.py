# The same network without the layer. At the rate that the search found it is unstable; 0.003
# is better (docs/comparison.md).
_base_ = 'repflow_lite0_utinteraction.py'

model = dict(backbone=dict(stages=(1, 9)), neck=None)
optim_wrapper = dict(optimizer=dict(lr=0.01))
