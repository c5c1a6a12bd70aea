# Table 7: "RGB", the same network without the layer
_base_ = 'repflow_r2plus1d18_minikinetics.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))
