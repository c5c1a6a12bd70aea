# Kinetics-400 as representation-flow networks read it.
_base_ = ['./kinetics400_files.py', '../pipelines/repflow.py']

dataset_type = 'CheckedVideoDataset'
test_pipeline = _base_.repflow_test_pipeline

# On 8 GPUs, as in the paper: 32 clips in all.
train_dataloader = dict(
    batch_size=4,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        pipeline=_base_.repflow_train_pipeline,
        **_base_.kinetics400_train))
val_dataloader = dict(
    batch_size=4,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        pipeline=_base_.repflow_val_pipeline,
        test_mode=True,
        **_base_.kinetics400_val))
test_dataloader = dict(
    batch_size=1,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        pipeline=test_pipeline,
        test_mode=True,
        **_base_.kinetics400_val))

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
