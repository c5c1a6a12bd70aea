# Table 8, on HMDB51, split 1 (SPLIT=2 python tools/train.py ...): TVNet's flow of each pair of frames under the network
# without a representation-flow layer
_base_ = '../repflow/repflow_r34_hmdb51.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TVNetTemporalStream',
        temporal=dict(
            _base_.model.backbone,
            in_channels=2,
            flow_after=None,
            flow_cfg=None),
        flow=dict(n_iters=50, initial_size=(224, 224)),
        layout='time',
        energy=True),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(type='TVL1EnergyLoss'),
        loss_weight=0.1),
    data_preprocessor=dict(
        _delete_=True, type='ActionDataPreprocessor', format_shape='NCTHW'))
