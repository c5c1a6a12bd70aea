# Table 3, learned
_base_ = '../repflow_r34_minikinetics.py'

model = dict(backbone=dict(flow_cfg=dict(n_iters=5)))
