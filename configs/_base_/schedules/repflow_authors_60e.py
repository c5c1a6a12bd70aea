# train_model.py of the authors of representation flow: SGD for 60 epochs, the rate divided
# by 10 when the validation no longer improves for 7 epochs
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=60, val_begin=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='ReduceOnPlateauLR',
        monitor='acc/top1',
        rule='greater',
        factor=0.1,
        patience=7)
]

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-6),
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(flow_lr_mult=0.01, flow_decay_mult=1))

auto_scale_lr = dict(enable=False, base_batch_size=24)
