# Three segments of the video, and ResNet-50 in the place of BN-Inception, which neither
# mmaction2 nor mmcv has.
_base_ = './hidden2s_vgg16.py'

model = dict(
    backbone=dict(
        # mmaction2's flow networks take images scaled to about -1 to 1
        flow_to_image=dict(mean=128., std=128.),
        temporal=dict(
            _delete_=True,
            type='ResNet',
            depth=50,
            in_channels=20,
            pretrained='torchvision://resnet50',
            norm_eval=False)),
    cls_head=dict(in_channels=2048, dropout_ratio=0.7))
