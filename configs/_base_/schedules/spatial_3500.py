# Temporal segment networks, spatial stream: 3,500 steps of 16 batches of 8 videos.
# mmengine counts batches.
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=3500 * 16, val_interval=500 * 16)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[1500 * 16, 3000 * 16],
        gamma=0.1)
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
    accumulative_counts=16,
    clip_grad=dict(max_norm=40),
    constructor='CaffeOptimWrapperConstructor',
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(bias_lr_mult=2),
            'cls_head': dict(bias_lr_mult=2)
        }))
auto_scale_lr = dict(enable=False, base_batch_size=128)
