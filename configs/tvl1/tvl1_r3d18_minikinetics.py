# Table 6: "TVL-1"
_base_ = '../repflow/repflow_r3d18_minikinetics.py'

model = dict(
    backbone=dict(
        in_channels=2, flow_after=None, flow_cfg=dict(_delete_=True)),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))
