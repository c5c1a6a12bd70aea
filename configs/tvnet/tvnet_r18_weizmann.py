# TVNet's flow of each pair of frames under repflow_r18_weizmann_rgb.py's network. Ten
# iterations instead of fifty, for training on a CPU.
_base_ = '../repflow_r18_weizmann.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TVNetTemporalStream',
        temporal=dict(
            _base_.model.backbone,
            in_channels=2,
            flow_after=None,
            flow_cfg=None),
        flow=dict(n_iters=10, initial_size=(80, 96)),
        layout='time',
        energy=True),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(type='TVL1EnergyLoss'),
        loss_weight=0.1),
    data_preprocessor=dict(
        _delete_=True, type='ActionDataPreprocessor', format_shape='NCTHW'))
# what benchmarks/comparison.py found
optim_wrapper = dict(optimizer=dict(lr=3e-3))
