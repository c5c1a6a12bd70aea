# Two-stream prediction from frames alone, for inference: I3D on RGB, MoNet and both
# classifiers. tools/zoo/merge_hallucinated.py makes its checkpoint. The schedule is not
# used, but mmengine wants one beside the training data.
_base_ = [
    '../_base_/models/i3d_inception.py', '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/i3d.py', '../_base_/schedules/i3d_kinetics_110k.py',
    '../_base_/default_runtime.py'
]

model = dict(
    _delete_=True,
    type='HallucinatedTwoStream',
    appearance=dict(
        type='Recognizer3D', backbone=dict(type='InceptionI3D')),
    two_stream=dict(
        type='FeatureTwoStream',
        learn='fusion',
        appearance_head=dict(
            type='LinearSequenceHead', num_classes=400, in_channels=1024),
        flow_head=dict(
            type='LinearSequenceHead', num_classes=400, in_channels=1024),
        neck=dict(type='MoNet', in_channels=1024, out_channels=1024)),
    data_preprocessor=_base_.model.data_preprocessor)

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
