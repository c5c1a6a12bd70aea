# The sequence of flows under a 3D network: mmaction2's I3D, an inflated ResNet-50. Clips
# of 31 frames are three windows of MotionNet.
_base_ = './hidden2s_vgg16.py'

model = dict(
    backbone=dict(
        layout='time',
        flow_to_image=dict(mean=128., std=128.),
        temporal=dict(
            _delete_=True,
            type='ResNet3d',
            depth=50,
            in_channels=2,
            pretrained2d=True,
            pretrained='torchvision://resnet50',
            conv1_kernel=(5, 7, 7),
            conv1_stride_t=2,
            pool1_stride_t=2,
            conv_cfg=dict(type='Conv3d'),
            norm_eval=False,
            inflate=((1, 1, 1), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0)),
            zero_init_residual=False)),
    cls_head=dict(in_channels=2048, dropout_ratio=0.5, average_clips='prob'))
