# On motionnet_ucf101_nosmoothconv.py, without convolutions between the deconvolutions:
# the paper's ablation.
_base_ = 'hidden2s_vgg16_ucf101_temporal.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            smooth_convs=False,
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_ucf101_nosmoothconv/iter_400000.pth'))))
