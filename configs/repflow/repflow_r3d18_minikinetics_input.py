# Table 6: on the RGB input
_base_ = 'repflow_r3d18_minikinetics.py'

model = dict(backbone=dict(flow_after='input', flow_cfg=dict(act_cfg=None)))
