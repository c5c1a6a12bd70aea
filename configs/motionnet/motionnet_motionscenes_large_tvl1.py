# MotionNet, from scratch, learned from TV-L1 flow. It halves the frames five times itself,
# so that it takes three levels where TinyMotionNet takes five.
_base_ = 'tinymotionnet_motionscenes_large.py'

model = dict(
    backbone=dict(
        motion_net=dict(_delete_=True, type='MotionNet', num_frames=2),
        levels=3),
    loss=dict(_delete_=True, type='SupervisedFlowLoss'),
    teacher=dict(preset='fast'))

train_cfg = dict(max_iters=1000, val_interval=250)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=1000,
        T_max=900)
]
optim_wrapper = dict(optimizer=dict(lr=3e-4))
custom_hooks = [
    dict(type='DivergenceGuardHook', factor=10.),
    dict(type='EMAHook', momentum=0.01)  # forgets the start
]
