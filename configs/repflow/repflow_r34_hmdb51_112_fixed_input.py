# Table 1: on the RGB input. The network expects positive and negative values there, hence
# no ReLU.
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(
    backbone=dict(flow_after='input', flow_cfg=dict(learn=(), act_cfg=None)))
