# After motionnet_motionscenes_start_tvl1.py: MotionNet at all levels of a pyramid. It
# halves the frames five times itself, so that it learns at three levels, where
# TinyMotionNet does at five.
_base_ = 'tinymotionnet_motionscenes_large.py'

load_from = 'work_dirs/motionnet_motionscenes_start_tvl1/iter_1200.pth'
model = dict(
    backbone=dict(
        motion_net=dict(_delete_=True, type='MotionNet', num_frames=2),
        levels=4),
    loss=dict(_delete_=True, type='SupervisedFlowLoss'),
    teacher=dict(preset='fast'))

train_cfg = dict(max_iters=400, val_interval=100)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=20,
        end=400,
        T_max=380)
]
optim_wrapper = dict(optimizer=dict(lr=3e-4))
custom_hooks = [
    *_base_.custom_hooks[:-1],
    dict(type='EMAHook', momentum=0.01)  # forgets the start
]
