# Table 2: all learned
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(
    backbone=dict(
        flow_cfg=dict(
            learn=('image', 'flow', 'divergence', 'theta', 'lam', 'tau'))))
