# Features of I3D's last pooling at 25 frames a second, of RGB and of TV-L1 flow, in
# files of tools/data/extract_features.py.
dataset_type = 'FeatureDataset'
data_root = '{{$FLOWZOO_DATA:data}}/kinetics400_features'
how_to_get = ('python tools/data/extract_features.py writes it with a recognizer on '
              'RGB and one on flow; docs/monet.md says how')

train_pipeline = [dict(type='PackFeatures')]
val_pipeline = train_pipeline
test_pipeline = train_pipeline

train_dataloader = dict(
    batch_size=128,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        appearance=f'{data_root}/appearance_train.npz',
        flow=f'{data_root}/flow_train.npz',
        num_classes=400,
        how_to_get=how_to_get,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        appearance=f'{data_root}/appearance_val.npz',
        flow=f'{data_root}/flow_val.npz',
        num_classes=400,
        how_to_get=how_to_get,
        pipeline=val_pipeline,
        test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
