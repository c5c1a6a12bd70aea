# Table 9 of representation flow, "I3D (Two-Stream)": the scores of i3d_inception_hmdb51.py
# and of i3d_inception_hmdb51_flow.py, or of both with _from-kinetics, averaged, as one
# network for testing; tools/zoo/merge_streams.py merges the checkpoints.
_base_ = 'i3d_inception_hmdb51.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=_base_.model,
    temporal=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, in_channels=2),
        data_preprocessor=dict(type='TVL1DataPreprocessor')),
    weights=(1., 1.))
