# Table 6: after block 1
_base_ = 'repflow_r3d18_minikinetics.py'

model = dict(backbone=dict(flow_after='stem'))
