# After tinymotionnet_motionshapes_2frames_refined_start.py: the end of the schedule
_base_ = 'tinymotionnet_motionshapes_2frames.py'

load_from = 'work_dirs/tinymotionnet_motionshapes_2frames_refined_start/iter_5000.pth'
model = dict(loss=dict(_delete_=True, type='RefinedFlowLoss'))

train_dataloader = dict(batch_size=8)
auto_scale_lr = dict(base_batch_size=8)
train_cfg = dict(max_iters=2500, val_interval=1250)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=20,
        end=2500,
        T_max=2480)
]
optim_wrapper = dict(
    type='AmpOptimWrapper', dtype='bfloat16', optimizer=dict(lr=6e-4))
default_hooks = dict(checkpoint=dict(interval=1250))
