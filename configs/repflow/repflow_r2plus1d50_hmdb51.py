# Table 9, "HMDB(+Kin)": --cfg-options load_from=WEIGHTS_OF_repflow_r2plus1d50_kinetics
_base_ = '../repflow_r50_hmdb51.py'

model = dict(
    backbone=dict(
        type='RepFlowResNet2Plus1d',
        pretrained2d=False,
        conv_cfg=dict(type='Conv2plus1d'),
        conv1_kernel=(3, 7, 7),
        inflate_style='3x3x3',
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False))

train_dataloader = dict(batch_size=3)
auto_scale_lr = dict(base_batch_size=24)
