# On tinymotionnet_ucf101.py: the paper's search for an architecture.
_base_ = '../hidden2s_vgg16_ucf101.py'

load_from = 'work_dirs/hidden2s_vgg16_ucf101_temporal_tinymotionnet/iter_320000.pth'
model = dict(
    backbone=dict(motion_net=dict(type='TinyMotionNet')),
    neck=dict(loss=dict(ssim_weights=(0.001, 0.002, 0.004))))
