# From s3dg_inception_kinetics.py's weights, split 1 (SPLIT=2 python tools/train.py ...).
# The number of steps and the rate are our choice.
_base_ = [
    '../_base_/models/s3dg_inception.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/i3d.py', '../_base_/schedules/s3d_kinetics_80k.py',
    '../_base_/default_runtime.py'
]

load_from = 'work_dirs/s3dg_inception_kinetics/iter_80000.pth'
model = dict(cls_head=dict(num_classes=51))

train_cfg = dict(max_iters=5000, val_interval=1000)
param_scheduler = [
    dict(type='MultiStepLR', by_epoch=False, milestones=[3000, 4000])
]
optim_wrapper = dict(optimizer=dict(lr=0.01))

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=1000))
log_processor = dict(by_epoch=False)

train_dataloader = dict(batch_size=6, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
