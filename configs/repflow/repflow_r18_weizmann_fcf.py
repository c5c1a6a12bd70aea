# Flow-conv-flow
_base_ = '../repflow_r18_weizmann.py'

model = dict(backbone=dict(flow_cfg=dict(num_flows=2)))
