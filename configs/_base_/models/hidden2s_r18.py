# The flow of a TinyMotionNet, trained without labels by tinymotionnet_motionshapes.py,
# under the first half of a ResNet-18
_base_ = './hidden2s_tsn.py'

model = dict(
    backbone=dict(
        motion_net=dict(
            type='TinyMotionNet',
            init_cfg=dict(
                checkpoint='work_dirs/tinymotionnet_motionshapes/iter_2400.pth')),
        temporal=dict(
            depth=18,
            pretrained=None,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(1, ))),
    neck=dict(
        loss=dict(
            smoothness_weights=(0.1, 0.1, 0.1),
            ssim_weights=(0.001, 0.002, 0.004))),
    cls_head=dict(
        num_classes=8, in_channels=128, dropout_ratio=0.2,
        average_clips='prob'))
