_base_ = '../repflow_r18_motionshapes.py'

model = dict(backbone=dict(flow_cfg=dict(num_flows=2)))
