# Table 1: after block 1
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(backbone=dict(flow_after='stem', flow_cfg=dict(learn=())))
