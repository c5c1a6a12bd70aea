# Table 3, not learned
_base_ = '../repflow_r34_minikinetics.py'

model = dict(backbone=dict(flow_cfg=dict(learn=(), n_iters=1)))
