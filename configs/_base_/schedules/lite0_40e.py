# At 0.001 for the ImageNet weights (AdamW) training did not start: they learn slowly.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=40, val_begin=1, val_interval=20)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=4,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=4,
        end=40,
        T_max=36,
        convert_to_iter_based=True)
]

pretrained = dict(lr_mult=0.03)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0.05),
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(
        flow_lr_mult=0.01,
        custom_keys={
            'backbone': pretrained,
            'neck.tail': pretrained
        }),
    clip_grad=dict(max_norm=40))

auto_scale_lr = dict(enable=False, base_batch_size=8)
