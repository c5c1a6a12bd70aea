# After tinymotionnet_motionshapes_2frames.py: learned from what descent on the motion
# losses makes of each flow, still without labels. In bfloat16, which takes half the time
# on CPUs that have it. tinymotionnet_motionshapes_2frames_refined.py continues from it and ends the
# schedule.
_base_ = 'tinymotionnet_motionshapes_2frames.py'

load_from = 'flowzoo://tinymotionnet_motionshapes_2frames'
model = dict(loss=dict(_delete_=True, type='RefinedFlowLoss'))

train_dataloader = dict(batch_size=8)
auto_scale_lr = dict(base_batch_size=8)
train_cfg = dict(max_iters=5000, val_interval=1000)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=12000,
        T_max=11900)
]
optim_wrapper = dict(type='AmpOptimWrapper', dtype='bfloat16')
default_hooks = dict(checkpoint=dict(interval=1000))
