# Table 5: "TVL-1 twice", the flow of x and that of y as if they were images
_base_ = '../repflow_r34_minikinetics.py'

model = dict(
    backbone=dict(
        in_channels=4, flow_after=None, flow_cfg=dict(_delete_=True)),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda', times=2))
