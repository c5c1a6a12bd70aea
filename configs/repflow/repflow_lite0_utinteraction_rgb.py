# The same network without the layer
_base_ = 'repflow_lite0_utinteraction.py'

model = dict(backbone=dict(stages=(1, 9)), neck=None)
optim_wrapper = dict(optimizer=dict(lr=0.01))
