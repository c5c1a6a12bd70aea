# YouTube-8M's frame-level features: Inception at 1 frame a second, 3862 classes. 15 %
# of the videos are held out, as in the paper; here they are files of the training part.
dataset_type = 'YouTube8MDataset'
files = '{{$FLOWZOO_DATA:data}}/youtube8m/frame/train*.tfrecord'
num_classes = 3862

train_pipeline = [dict(type='PackFeatures', num_classes=num_classes)]
val_pipeline = train_pipeline
test_pipeline = train_pipeline

train_dataloader = dict(
    batch_size=160,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        files=files,
        num_classes=num_classes,
        held_out=False,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=160,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        files=files,
        num_classes=num_classes,
        held_out=True,
        pipeline=val_pipeline,
        test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='YouTube8MMetric')
test_evaluator = val_evaluator
