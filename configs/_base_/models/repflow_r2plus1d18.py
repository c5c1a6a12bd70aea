# R(2+1)D with mmaction2's temporal strides: half of the frames reach layer2, so that 16
# give 7 flows after it.
_base_ = 'repflow_r50.py'
model = dict(
    backbone=dict(
        type='RepFlowResNet2Plus1d',
        depth=18,
        pretrained2d=False,
        conv_cfg=dict(type='Conv2plus1d'),
        conv1_kernel=(3, 7, 7),
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False),
    cls_head=dict(in_channels=512))
