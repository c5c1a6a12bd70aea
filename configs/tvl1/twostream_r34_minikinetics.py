# Table 1: the scores of the network for RGB and of tvl1_r34_minikinetics.py,
# averaged, as one network for testing; tools/zoo/merge_streams.py merges the checkpoints.
_base_ = '../repflow_r34_minikinetics.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, flow_after=None, flow_cfg=None)),
    temporal=dict(
        _base_.model,
        backbone=dict(
            _base_.model.backbone,
            flow_after=None,
            flow_cfg=None,
            in_channels=2),
        data_preprocessor=dict(type='TVL1DataPreprocessor', preset='cuda')),
    weights=(1., 1.))
