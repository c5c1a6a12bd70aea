_base_ = 'repflow_r2plus1d18.py'
model = dict(
    backbone=dict(depth=50, inflate_style='3x3x3'),
    cls_head=dict(in_channels=2048))
