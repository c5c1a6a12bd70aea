# Representation Flow for Action Recognition, appendix A: fine-tuning on HMDB
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=50, val_begin=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        begin=0,
        end=50,
        by_epoch=True,
        milestones=[20, 40],
        gamma=0.1)
]

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.005, momentum=0.9, weight_decay=1e-4),
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(flow_lr_mult=0.01))

auto_scale_lr = dict(enable=False, base_batch_size=32)
