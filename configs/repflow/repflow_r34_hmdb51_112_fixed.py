# Table 1, after block 3; table 2, "None (all fixed)"
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(backbone=dict(flow_cfg=dict(learn=())))
