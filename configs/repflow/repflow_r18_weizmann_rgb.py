# The same network without the layer
_base_ = '../repflow_r18_weizmann.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))
