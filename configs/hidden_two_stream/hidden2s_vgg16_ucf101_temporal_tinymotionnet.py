# Stage 2 of 3, on tinymotionnet_ucf101.py. From here
# hidden2s_vgg16_ucf101_tinymotionnet.py continues from it.
_base_ = 'hidden2s_vgg16_ucf101_temporal.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            type='TinyMotionNet',
            init_cfg=dict(
                checkpoint='work_dirs/tinymotionnet_ucf101/iter_400000.pth'))))
