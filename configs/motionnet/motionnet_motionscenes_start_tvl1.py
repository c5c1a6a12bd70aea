# MotionNet, from scratch, on small scenes with motion up to 5 pixels, learned from TV-L1
# flow. It stays near zero flow for some hundred iterations, which are cheap on small
# scenes.
_base_ = 'tinymotionnet_motionscenes_large.py'

model = dict(
    backbone=dict(
        motion_net=dict(_delete_=True, type='MotionNet', num_frames=2),
        levels=1),
    loss=dict(_delete_=True, type='SupervisedFlowLoss'),
    teacher=dict(preset='fast'),
    coarsest=(0, 0),
    crop=None)

scene = dict(height=64, width=64, max_motion=5)
train_dataloader = dict(batch_size=8, dataset=dict(scene=scene))
val_dataloader = dict(dataset=dict(scene=scene))
test_dataloader = dict(dataset=dict(scene=scene))

auto_scale_lr = dict(base_batch_size=8)

train_cfg = dict(max_iters=1200, val_interval=300)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=1200,
        T_max=1100)
]
optim_wrapper = dict(optimizer=dict(lr=3e-4))
custom_hooks = [
    *_base_.custom_hooks[:-1],
    dict(type='EMAHook', momentum=0.01)  # forgets the start
]
