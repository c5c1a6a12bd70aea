# Table 9: flow-conv-flow
_base_ = '../repflow_r50_kinetics.py'

model = dict(backbone=dict(flow_cfg=dict(num_flows=2)))
