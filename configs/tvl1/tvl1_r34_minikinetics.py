# Table 1: "Flow CNN", the network for RGB on the 15 flows of its 16 frames
_base_ = '../repflow_r34_minikinetics.py'

model = dict(
    backbone=dict(
        in_channels=2, flow_after=None, flow_cfg=dict(_delete_=True)),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))
