# The scores of repflow_r18_weizmann_rgb.py and hidden2s_r18_weizmann_fixed.py, averaged;
# tools/zoo/merge_streams.py merges the checkpoints, or those of repflow_r18_weizmann_rgb.py
# and hidden2s_r18_weizmann.py, as how MotionNet was trained makes no difference in testing.
_base_ = '../repflow_r18_weizmann.py'

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, flow_after=None, flow_cfg=None)),
    temporal=dict(
        _base_.model,
        backbone=dict(
            type='StackedTemporalStream',
            motion_net=dict(
                type='PyramidMotionNet',
                motion_net=dict(type='TinyMotionNet', num_frames=2),
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
            _base_.model.data_preprocessor,
            mean=[123.0, 117.0, 104.0],
            std=[255.0, 255.0, 255.0])),
    weights=(1., 1.))
