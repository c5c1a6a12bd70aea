# Table 3, not learned
_base_ = 'repflow_r34_minikinetics_fixed.py'

model = dict(backbone=dict(flow_cfg=dict(n_iters=5)))
