# Table 9: the flow stream of "Two-Stream R(2+1)D" (Tran et al.)
_base_ = '../repflow/repflow_tran_r2plus1d34_kinetics_rgb.py'

model = dict(
    backbone=dict(in_channels=2),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))
