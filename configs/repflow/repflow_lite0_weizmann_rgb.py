# The same network without the layer
_base_ = 'repflow_lite0_weizmann.py'

model = dict(backbone=dict(stages=(1, 9)), neck=None)
