# Table 9: "Two-Stream R(2+1)D" (Tran et al.), the scores of
# repflow_tran_r2plus1d34_kinetics_rgb.py and tvl1_r2plus1d34_kinetics.py, averaged, as one
# network for testing; tools/zoo/merge_streams.py merges the checkpoints.
_base_ = '../repflow/repflow_tran_r2plus1d34_kinetics_rgb.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=_base_.model,
    temporal=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, in_channels=2),
        data_preprocessor=dict(type='TVL1DataPreprocessor', preset='cuda')),
    weights=(1., 1.))
