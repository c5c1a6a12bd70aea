# After tinymotionnet_ucf101_2frames.py: a stronger smoothness term, and the end of the
# schedule.
_base_ = 'tinymotionnet_ucf101_2frames.py'

load_from = 'work_dirs/tinymotionnet_ucf101_2frames/iter_500.pth'
model = dict(loss=dict(smoothness_weights=(4, 4, 4)))

train_cfg = dict(max_iters=400, val_interval=400)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=40),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=40,
        end=400,
        T_max=360)
]
optim_wrapper = dict(optimizer=dict(lr=5e-4))
default_hooks = dict(checkpoint=dict(interval=400))
