# Stage 2 of 3, on resnet50motionnet_ucf101.py. From here
# hidden2s_vgg16_ucf101_resnet50motionnet.py continues from it.
_base_ = 'hidden2s_vgg16_ucf101_temporal.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            type='ResNet50MotionNet',
            init_cfg=dict(
                checkpoint='work_dirs/resnet50motionnet_ucf101/iter_400000.pth'))))
