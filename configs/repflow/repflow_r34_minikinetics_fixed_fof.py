# Table 5
_base_ = 'repflow_r34_minikinetics_fixed.py'

model = dict(backbone=dict(flow_cfg=dict(num_flows=2, conv_between=False)))
