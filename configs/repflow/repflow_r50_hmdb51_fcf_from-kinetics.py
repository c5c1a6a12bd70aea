# Table 9, "HMDB(+Kin)": flow-conv-flow, from the Kinetics network
_base_ = '../repflow_r50_hmdb51.py'

model = dict(backbone=dict(pretrained=None, flow_cfg=dict(num_flows=2)))
load_from = 'work_dirs/repflow_r50_kinetics_fcf/epoch_200.pth'
