# Table 1: after block 2
_base_ = 'repflow_r34_minikinetics_fixed.py'

model = dict(backbone=dict(flow_after='layer1'))
