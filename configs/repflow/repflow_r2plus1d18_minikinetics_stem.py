# Table 7: after block 1
_base_ = 'repflow_r2plus1d18_minikinetics.py'

model = dict(backbone=dict(flow_after='stem'))
