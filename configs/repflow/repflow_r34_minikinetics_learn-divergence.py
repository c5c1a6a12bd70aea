# Table 2: the divergence learned
_base_ = '../repflow_r34_minikinetics.py'

model = dict(backbone=dict(flow_cfg=dict(learn=('divergence', ))))
