# Small real benchmarks from scratch: an epoch has about ten iterations. The rate is what
# benchmarks/comparison.py found on Weizmann, with representation flow and without.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=120, val_begin=1, val_interval=20)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=12,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=12,
        end=120,
        T_max=108,
        convert_to_iter_based=True)
]

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(
        flow_lr_mult=0.01, norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=40))

auto_scale_lr = dict(enable=False, base_batch_size=8)
