# Rethinking Spatiotemporal Feature Learning, section 3: 80,000 steps of SGD with momentum
# 0.9 on 56 GPUs with 6 clips each; the weight decay is that of the authors' code.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=80000, val_interval=5000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[60000, 70000],
        gamma=0.1)
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-7))
auto_scale_lr = dict(enable=False, base_batch_size=336)
