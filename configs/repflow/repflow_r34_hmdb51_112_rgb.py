# Table 1: "RGB CNN", the same network without the layer
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))
