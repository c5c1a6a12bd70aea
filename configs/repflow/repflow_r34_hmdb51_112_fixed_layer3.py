# Table 1: after block 4
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(backbone=dict(flow_after='layer3', flow_cfg=dict(learn=())))
