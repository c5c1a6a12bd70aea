# Table 4
_base_ = '../repflow_r34_minikinetics.py'

model = dict(
    backbone=dict(
        flow_after='input',
        flow_cfg=dict(learn=(), act_cfg=None, fusion='multiply')))
