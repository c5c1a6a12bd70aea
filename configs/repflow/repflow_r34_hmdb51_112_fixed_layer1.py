# Table 1: after block 2
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(backbone=dict(flow_after='layer1', flow_cfg=dict(learn=())))
