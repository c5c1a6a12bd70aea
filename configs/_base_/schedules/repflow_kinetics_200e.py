# Representation Flow for Action Recognition, appendix A
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=200, val_begin=1, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        begin=0,
        end=200,
        by_epoch=True,
        milestones=[50, 100, 150],
        gamma=0.1)
]

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4),
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(flow_lr_mult=0.01))

auto_scale_lr = dict(enable=False, base_batch_size=32)
