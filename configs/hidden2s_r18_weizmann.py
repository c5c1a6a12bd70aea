# Mode (c): the flow of each pair of frames by a TinyMotionNet, trained without labels on
# MotionShapes, under repflow_r18_weizmann_rgb.py's network; all of it is trained by
# the loss of the action and MotionNet's own losses.
_base_ = 'repflow_r18_weizmann.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='StackedTemporalStream',
        # at half the frames' size, in a quarter of the time
        motion_net=dict(
            type='PyramidMotionNet',
            motion_net=dict(
                type='TinyMotionNet',
                num_frames=2,
                init_cfg=dict(
                    type='Pretrained',
                    checkpoint='flowzoo://'
                    'tinymotionnet_motionshapes_2frames_refined',
                    prefix='backbone.')),
            num_frames=8,
            levels=2,
            finest=1),
        temporal=dict(
            _base_.model.backbone,
            in_channels=2,
            flow_after=None,
            flow_cfg=None),
        layout='time',
        train_motion='all',
        flow_to_image=dict(mean=128.0, std=128.0)),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(
            type='UnsupervisedFlowLoss',
            normalization='elements',
            flow_scales=(20.0, ),
            smoothness_weights=(0.1, ))),
    data_preprocessor=dict(
        mean=[123.0, 117.0, 104.0], std=[255.0, 255.0, 255.0]))
# bfloat16: in half the time, on CPUs that have it; lr: what benchmarks/comparison.py found
optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='bfloat16',
    optimizer=dict(lr=3e-3),
    paramwise_cfg=dict(
        custom_keys={'backbone.motion_net': dict(lr_mult=0.01)}))
