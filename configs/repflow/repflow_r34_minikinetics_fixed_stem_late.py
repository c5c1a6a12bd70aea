# Table 4
_base_ = 'repflow_r34_minikinetics_fixed_stem.py'

model = dict(
    backbone=dict(late_fusion=True), cls_head=dict(in_channels=1024))
