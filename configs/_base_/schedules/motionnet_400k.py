# Hidden Two-Stream Convolutional Networks, MotionNet alone: batches of 16 clips
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=400000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[100000, 200000, 250000, 300000, 350000],
        gamma=0.5)
]

# lr for batches of 16; --auto-scale-lr scales it for other ones
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=3.2e-5, weight_decay=4e-4),
    constructor='CaffeOptimWrapperConstructor',
    paramwise_cfg=dict(bias_decay_mult=0.))
auto_scale_lr = dict(enable=False, base_batch_size=16)
