# Table 4
_base_ = 'repflow_r34_minikinetics_fixed_stem.py'

model = dict(backbone=dict(flow_cfg=dict(fusion='multiply')))
