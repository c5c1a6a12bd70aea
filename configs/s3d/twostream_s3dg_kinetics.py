# Table 9 of representation flow, "Two-Stream S3D": s3dg_inception_kinetics.py and
# s3dg_inception_kinetics_flow.py; tools/zoo/merge_streams.py merges the checkpoints.
_base_ = 's3dg_inception_kinetics.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=_base_.model,
    temporal=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, in_channels=2),
        data_preprocessor=dict(type='TVL1DataPreprocessor', preset='cuda')),
    weights=(1., 1.))
