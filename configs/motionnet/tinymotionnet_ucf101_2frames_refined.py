# Real clips, from the network that MotionShapes has taught, by descent on the motion
# losses; without labels. Frames are four apart, for larger motion.
_base_ = 'tinymotionnet_ucf101_2frames.py'

load_from = 'flowzoo://tinymotionnet_motionshapes_2frames_refined'
model = dict(loss=dict(_delete_=True, type='RefinedFlowLoss'))

train_pipeline = [
    dict(type='OpenVideo'),
    dict(
        type='SampleFrames',
        clip_len=2,
        frame_interval=4,
        num_clips=4,
        out_of_bound_opt='repeat_last'),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(170, 128), keep_ratio=False),
    dict(type='RandomCrop', size=64),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(max_iters=300, val_interval=300)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=20,
        end=300,
        T_max=280)
]
optim_wrapper = dict(
    type='AmpOptimWrapper', dtype='bfloat16', optimizer=dict(lr=5e-4))
default_hooks = dict(checkpoint=dict(interval=300))
