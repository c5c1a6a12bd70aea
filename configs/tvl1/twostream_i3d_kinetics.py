# Table 9: I3D of RGB and of flow, the scores averaged, as one network for testing;
# tools/zoo/merge_streams.py merges the checkpoints of i3d_inception_kinetics.py and
# i3d_inception_kinetics_flow.py.
_base_ = '../i3d_inception_kinetics.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=_base_.model,
    temporal=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, in_channels=2),
        data_preprocessor=dict(type='TVL1DataPreprocessor')),
    weights=(1., 1.))
