# Temporal segment networks, temporal stream: 20,000 steps of 16 batches of 8 clips.
# mmengine counts batches. The paper of hidden two-stream networks does not say how its
# temporal networks are trained before they are trained end to end.
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=20000 * 16, val_interval=500 * 16)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[12000 * 16, 18000 * 16],
        gamma=0.1)
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=5e-3, momentum=0.9, weight_decay=5e-4),
    accumulative_counts=16,
    clip_grad=dict(max_norm=20),
    constructor='CaffeOptimWrapperConstructor',
    paramwise_cfg=dict(
        custom_keys={
            'backbone.temporal': dict(bias_lr_mult=2),
            'cls_head': dict(bias_lr_mult=2)
        }))
auto_scale_lr = dict(enable=False, base_batch_size=128)
