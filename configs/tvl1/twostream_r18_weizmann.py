# The scores of repflow_r18_weizmann_rgb.py and tvl1_r18_weizmann.py, averaged;
# tools/zoo/merge_streams.py merges the checkpoints.
_base_ = '../repflow_r18_weizmann.py'

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
        data_preprocessor=dict(type='TVL1DataPreprocessor')),
    weights=(1., 1.))
