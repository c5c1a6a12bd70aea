# Table 9: 2D CNN, "Flow"
_base_ = '../repflow_r50_hmdb51.py'

model = dict(
    backbone=dict(
        in_channels=2, flow_after=None, flow_cfg=dict(_delete_=True)),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))
