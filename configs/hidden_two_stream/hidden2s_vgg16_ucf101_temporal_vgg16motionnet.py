# Stage 2 of 3, on vgg16motionnet_ucf101.py. From here
# hidden2s_vgg16_ucf101_vgg16motionnet.py continues from it.
_base_ = 'hidden2s_vgg16_ucf101_temporal.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            type='VGG16MotionNet',
            init_cfg=dict(
                checkpoint='work_dirs/vgg16motionnet_ucf101/iter_400000.pth'))))
