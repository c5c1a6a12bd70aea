# Table 1: after block 5
_base_ = '../repflow_r34_minikinetics.py'

model = dict(backbone=dict(flow_after='layer4', flow_cfg=dict(learn=())))
