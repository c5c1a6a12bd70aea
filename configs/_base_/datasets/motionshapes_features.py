# Features of MotionShapes, written by python benchmarks/monet_motionshapes.py features:
# of a network on frames and of one on true flow.
dataset_type = 'FeatureDataset'
data_root = 'data/motionshapes_features'
how_to_get = 'python benchmarks/monet_motionshapes.py features writes it'

train_pipeline = [dict(type='PackFeatures')]
val_pipeline = train_pipeline
test_pipeline = train_pipeline

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        appearance=f'{data_root}/appearance_train.npz',
        flow=f'{data_root}/flow_train.npz',
        num_classes=8,
        how_to_get=how_to_get,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        appearance=f'{data_root}/appearance_val.npz',
        flow=f'{data_root}/flow_val.npz',
        num_classes=8,
        how_to_get=how_to_get,
        pipeline=val_pipeline,
        test_mode=True))
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        appearance=f'{data_root}/appearance_test.npz',
        flow=f'{data_root}/flow_test.npz',
        num_classes=8,
        how_to_get=how_to_get,
        pipeline=test_pipeline,
        test_mode=True))

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
