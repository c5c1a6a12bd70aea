# Table 4
_base_ = '../repflow_r34_minikinetics.py'

model = dict(
    backbone=dict(flow_after='stem', flow_cfg=dict(learn=(), fusion='concat')))
