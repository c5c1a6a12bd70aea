# Flow between two frames of small frames, for an hour on a CPU and a folder of clips.
_base_ = [
    '../_base_/models/motionnet.py', '../_base_/datasets/ucf101.py',
    '../_base_/pipelines/motionnet_2frames.py',
    '../_base_/schedules/motionnet_400k.py', '../_base_/motionnet_runtime.py'
]

model = dict(
    backbone=dict(type='TinyMotionNet', num_frames=2),
    # zero flow is where smoothness alone leads, and small networks stay there
    loss=dict(
        normalization='elements', smoothness_weights=(0.1, 0.1, 0.1)))

# tinymotionnet_ucf101_2frames_smooth.py continues from it and ends the schedule.
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

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
