# Flow between two frames, small pictures, for an hour on a CPU and a folder of clips.
# Frames are two apart, which gives larger motion; two pairs are taken from each video.
_base_ = 'tinymotionnet_ucf101.py'

clip = dict(
    type='SampleFrames',
    clip_len=2,
    frame_interval=2,
    out_of_bound_opt='repeat_last')
train_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, num_clips=2),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(170, 128), keep_ratio=False),
    dict(type='RandomCrop', size=64),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(170, 128), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = test_pipeline

model = dict(
    backbone=dict(num_frames=2),
    # zero flow is where smoothness alone leads, and small networks stay there
    loss=dict(smoothness_weights=(0.1, 0.1, 0.1)))

train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(pipeline=test_pipeline))

# tinymotionnet_ucf101_2frames_smooth.py goes on and ends the schedule.
train_cfg = dict(max_iters=500, val_interval=500)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=1500,
        T_max=1400)
]
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0))
default_hooks = dict(checkpoint=dict(interval=500))
