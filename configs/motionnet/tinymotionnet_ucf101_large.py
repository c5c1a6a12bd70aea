# Real clips, two frames apart, after the scenes; without labels. The scenes, whose flow is
# known, remain for validation and test.
_base_ = [
    'tinymotionnet_motionscenes_large.py', '../_base_/datasets/ucf101.py'
]

load_from = 'flowzoo://tinymotionnet_motionscenes_large'

train_pipeline = [
    dict(type='OpenVideo'),
    dict(
        type='SampleFrames',
        clip_len=2,
        frame_interval=2,
        num_clips=1,
        out_of_bound_opt='repeat_last'),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(256, 192), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
train_dataloader = dict(
    dataset=dict(_delete_=True, pipeline=train_pipeline, **_base_.train_data))

train_cfg = dict(max_iters=500, val_interval=250)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=20,
        end=500,
        T_max=480)
]
optim_wrapper = dict(optimizer=dict(lr=3e-4))
