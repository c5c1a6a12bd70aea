# Table 5
_base_ = '../repflow_r34_minikinetics.py'

model = dict(backbone=dict(flow_cfg=dict(learn=(), num_flows=3)))
