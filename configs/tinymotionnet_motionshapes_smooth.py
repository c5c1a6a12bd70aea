# After tinymotionnet_motionshapes.py: with motion found, a smoother flow is nearer to the
# true one.
_base_ = './tinymotionnet_motionshapes.py'

load_from = 'work_dirs/tinymotionnet_motionshapes/iter_2400.pth'
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
