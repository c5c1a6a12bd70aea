# A 3D ResNet-18 that starts from ImageNet weights, inflated (table 6)
_base_ = 'repflow_r50.py'
model = dict(
    backbone=dict(
        type='RepFlowResNet3d',
        depth=18,
        pretrained='https://download.pytorch.org/models/resnet18-f37072fd.pth',
        conv1_kernel=(3, 7, 7),
        with_pool2=False,
        inflate_style='3x3x3',
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False),
    cls_head=dict(in_channels=512))
