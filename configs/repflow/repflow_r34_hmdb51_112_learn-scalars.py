# Table 2: theta, lambda and tau learned
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(backbone=dict(flow_cfg=dict(learn=('theta', 'lam', 'tau'))))
