# repflow_r18_weizmann_rgb.py's network on TV-L1 flow
_base_ = '../repflow_r18_weizmann.py'

model = dict(
    backbone=dict(
        in_channels=2, flow_after=None, flow_cfg=dict(_delete_=True)),
    data_preprocessor=dict(_delete_=True, type='TVL1DataPreprocessor'))
