# The classifiers of MoNet's streams: 20 epochs, as the paper fine-tunes them.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=20, val_begin=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='MultiStepLR',
        begin=0,
        end=20,
        by_epoch=True,
        milestones=[15],
        gamma=0.1)
]

optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=2e-4), clip_grad=dict(max_norm=1.0))

auto_scale_lr = dict(enable=False, base_batch_size=128)
