# Table 9: "RGB", the same network without the layer
_base_ = '../repflow_r50_kinetics.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))
