# actionflownet_r18_weizmann.py, taught by a TinyMotionNet that was trained without labels
# on MotionShapes
_base_ = '../repflow_r18_weizmann.py'

model = dict(
    backbone=dict(
        _delete_=True, type='ActionFlowNet', depth=18, base_channels=16),
    neck=dict(
        type='MotionLossNeck',
        loss=dict(
            type='TaughtFlowLoss',
            motion_net=dict(
                type='TinyMotionNet',
                num_frames=2,
                init_cfg=dict(
                    type='Pretrained',
                    checkpoint='flowzoo://tinymotionnet_motionshapes_2frames',
                    prefix='backbone.'))),
        loss_weight=0.1),
    data_preprocessor=dict(
        mean=[123.0, 117.0, 104.0], std=[255.0, 255.0, 255.0]))
