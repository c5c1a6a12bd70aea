# The flow stream of twostream_r2plus1d34_hmdb51.py, from the Kinetics network
_base_ = '../repflow/repflow_tran_r2plus1d34_hmdb51_rgb.py'

model = dict(
    backbone=dict(in_channels=2),
    data_preprocessor=dict(
        _delete_=True, type='TVL1DataPreprocessor', preset='cuda'))

load_from = 'work_dirs/tvl1_r2plus1d34_kinetics/epoch_200.pth'
