# On motionnet_ucf101_largekernels.py, without the small kernels for small displacements:
# the paper's ablation.
_base_ = 'hidden2s_vgg16_ucf101_temporal.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            kernels=(7, 5, 5),
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_ucf101_largekernels/iter_400000.pth'))))
