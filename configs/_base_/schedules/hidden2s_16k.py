# Hidden Two-Stream Convolutional Networks, end to end, as published for UCF101: 16,000
# steps of 16 batches of 8 clips. mmengine counts batches.
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=16000 * 16, val_interval=500 * 16)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[5000 * 16, 9500 * 16],
        gamma=0.1)
]

# The temporal network learns 1000 times as fast as MotionNet, its biases 2000 times.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-6, momentum=0.9, weight_decay=5e-4),
    accumulative_counts=16,
    constructor='CaffeOptimWrapperConstructor',
    paramwise_cfg=dict(
        custom_keys={
            'backbone.temporal': dict(lr_mult=1000, bias_lr_mult=2),
            'cls_head': dict(lr_mult=1000, bias_lr_mult=2)
        }))
auto_scale_lr = dict(enable=False, base_batch_size=128)
