# Large motion: one network at all levels of a pyramid, learned without labels from what
# descent on the motion losses makes of each level's flow
_base_ = [
    '../_base_/models/motionnet.py',
    '../_base_/pipelines/motionscenes_flow.py',
    '../_base_/schedules/motionnet_small.py', '../_base_/motionnet_runtime.py'
]

model = dict(
    type='PyramidMotionEstimator',
    backbone=dict(
        _delete_=True,
        type='PyramidMotionNet',
        motion_net=dict(
            type='TinyMotionNet',
            num_frames=2,
            # has learned small motion, without labels, too
            init_cfg=dict(
                type='Pretrained',
                checkpoint='flowzoo://tinymotionnet_motionshapes_2frames_refined',
                prefix='backbone'))),
    loss=dict(_delete_=True, type='RefinedFlowLoss'),
    crop=(96, 128))

train_cfg = dict(max_iters=6000, val_interval=1000)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=6000,
        T_max=5900)
]
# bfloat16 takes a quarter of the time on CPUs that have matrix units for it.
optim_wrapper = dict(
    type='AmpOptimWrapper', dtype='bfloat16', optimizer=dict(lr=6e-4))
default_hooks = dict(
    checkpoint=dict(interval=250, save_best='flow/EPE'))

custom_hooks = [
    dict(type='LoadFromHook'),
    # Steps that begin at a fine level see motion of many pixels there.
    dict(type='DivergenceGuardHook', factor=10.),
    dict(type='UnreadableVideosHook'),
    dict(type='TrainingSummaryHook'),
    dict(type='EMAHook', momentum=0.002)
]
