# Fine-tuning end to end: a tenth of the learning rate for the classifier, and a
# hundredth of that for MotionNet.
_base_ = './motionshapes_12e.py'

train_cfg = dict(max_epochs=4)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=0,
        end=4,
        T_max=4,
        convert_to_iter_based=True)
]
optim_wrapper = dict(
    optimizer=dict(lr=0.01),
    paramwise_cfg=dict(
        custom_keys={'backbone.motion_net': dict(lr_mult=0.01)}))
