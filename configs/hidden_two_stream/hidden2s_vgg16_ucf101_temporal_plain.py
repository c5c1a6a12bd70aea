# On motionnet_ucf101_plain.py, without all four:
# the paper's ablation.
_base_ = 'hidden2s_vgg16_ucf101_temporal.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            kernels=(7, 5, 5),
            smooth_convs=False,
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_ucf101_plain/iter_400000.pth'))))
