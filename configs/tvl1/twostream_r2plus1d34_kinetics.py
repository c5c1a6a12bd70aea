# Table 9: "Two-Stream R(2+1)D" (Tran et al.), mmaction2's network on RGB and that of
# tvl1_r2plus1d34_kinetics.py, the scores averaged, as one network for testing;
# tools/zoo/merge_streams.py merges the checkpoints.
_base_ = 'tvl1_r2plus1d34_kinetics.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, in_channels=3),
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            format_shape='NCTHW')),
    temporal=_base_.model,
    weights=(1., 1.))
