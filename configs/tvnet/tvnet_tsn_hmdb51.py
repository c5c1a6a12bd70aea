# The network of the TVNet paper: ten flows, stacked, of three segments of the video, under
# BN-Inception
_base_ = [
    '../_base_/models/hidden2s_tsn.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/spatial_3500.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='TVNetTemporalStream',
        temporal=dict(
            _base_.model.backbone.temporal,
            pretrained='https://data.lip6.fr/cadene/pretrainedmodels/'
            'bn_inception-52deb4733.pth'),
        flow=dict(n_iters=50, initial_size=(224, 224)),
        energy=True),
    neck=dict(
        _delete_=True,
        type='MotionLossNeck',
        loss=dict(type='TVL1EnergyLoss'),
        loss_weight=0.1),
    cls_head=dict(num_classes=_base_.num_classes),
    data_preprocessor=dict(
        _delete_=True, type='ActionDataPreprocessor', format_shape='NCTHW'))
optim_wrapper = dict(
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(_delete_=True, flow_lr_mult=0.01))

train_dataloader = dict(
    dataset=dict(_base_.train_data, pipeline=_base_.segments_train_pipeline))
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
