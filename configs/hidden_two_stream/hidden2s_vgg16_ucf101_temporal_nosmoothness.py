# On motionnet_ucf101_nosmoothness.py, without the smoothness term:
# the paper's ablation.
_base_ = 'hidden2s_vgg16_ucf101_temporal.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_ucf101_nosmoothness/iter_400000.pth'))))
