# Quo Vadis, Action Recognition?: 110,000 steps of SGD with momentum 0.9, the rate divided
# by 10 when the validation loss stops to fall. The rest is our choice.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=110000, val_interval=5000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[70000, 95000],
        gamma=0.1)
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-7),
    clip_grad=dict(max_norm=40))
auto_scale_lr = dict(enable=False, base_batch_size=64)
