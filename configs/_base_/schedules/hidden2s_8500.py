# as published for HMDB51
_base_ = './hidden2s_16k.py'

train_cfg = dict(max_iters=8500 * 16)
param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=False,
        milestones=[5000 * 16, 7000 * 16],
        gamma=0.1)
]
