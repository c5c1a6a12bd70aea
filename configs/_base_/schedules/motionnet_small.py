# Small clips, an hour on a busy core
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2400, val_interval=600)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=2400,
        T_max=2300)
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3),
    clip_grad=dict(max_norm=10))
auto_scale_lr = dict(enable=False, base_batch_size=4)
