# Table 1, second column: "Flow CNN"
_base_ = '../repflow/repflow_r34_hmdb51_112.py'

model = dict(
    backbone=dict(
        in_channels=2, flow_after=None, flow_cfg=dict(_delete_=True)),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))
