# Mode (a): hidden2s_r18_weizmann.py, in which MotionNet is not trained any more.
_base_ = '../repflow_r18_weizmann.py'

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
        train_motion='fixed',
        flow_to_image=dict(mean=128.0, std=128.0)),
    data_preprocessor=dict(
        mean=[123.0, 117.0, 104.0], std=[255.0, 255.0, 255.0]))
# bfloat16: in half the time, on CPUs that have it; lr: what benchmarks/comparison.py found
optim_wrapper = dict(
    type='AmpOptimWrapper', dtype='bfloat16', optimizer=dict(lr=1e-2))
