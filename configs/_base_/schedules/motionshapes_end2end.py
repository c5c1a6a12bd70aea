# Fine-tuning end to end: a tenth of the learning rate for the classifier, and a
# hundredth of that for MotionNet.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=4, val_begin=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=0,
        end=4,
        T_max=4,
        convert_to_iter_based=True)
]

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(
        flow_lr_mult=0.01,
        custom_keys={'backbone.motion_net': dict(lr_mult=0.01)}))

auto_scale_lr = dict(enable=False, base_batch_size=32)
