# The same network without the layer (tables 1, 6 and 7: "RGB")
_base_ = '../repflow_r34_minikinetics.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))
