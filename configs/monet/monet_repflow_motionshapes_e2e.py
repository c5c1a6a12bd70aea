# Two-stream prediction from frames alone, for inference: the appearance network, MoNet
# and both classifiers. tools/zoo/merge_hallucinated.py makes its checkpoint. The schedule
# is not used, but mmengine wants one beside the training data.
_base_ = [
    '../_base_/datasets/motionshapes.py',
    '../_base_/pipelines/repflow_motionshapes.py',
    '../_base_/schedules/motionshapes_12e.py', '../_base_/default_runtime.py'
]

model = dict(
    type='HallucinatedTwoStream',
    appearance=dict(
        type='Recognizer3D',
        backbone=dict(
            type='RepFlowResNet',
            depth=18,
            base_channels=16,
            flow_after='conv1',
            flow_cfg=dict(
                bottleneck_channels=8, variant='tvl1', n_iters=20))),
    two_stream=dict(
        type='FeatureTwoStream',
        learn='fusion',
        appearance_head=dict(
            type='LinearSequenceHead', num_classes=8, in_channels=128),
        flow_head=dict(
            type='LinearSequenceHead', num_classes=8, in_channels=128),
        neck=dict(type='MoNet', in_channels=128, out_channels=128)),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))

test_pipeline = [
    dict(type='OpenVideo', min_frames=16),
    dict(type='SampleFrames', clip_len=16, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=dict(_base_.test_data, pipeline=test_pipeline))
