# Table 9: flow-conv-flow
_base_ = 'repflow_r2plus1d50_hmdb51.py'

model = dict(backbone=dict(flow_cfg=dict(num_flows=2)))
load_from = 'work_dirs/repflow_r2plus1d50_kinetics_fcf/epoch_200.pth'
