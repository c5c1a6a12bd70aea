# The flow stream of twostream_s3dg_kinetics.py, on TV-L1
_base_ = 's3dg_inception_kinetics.py'

model = dict(
    backbone=dict(in_channels=2),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))
