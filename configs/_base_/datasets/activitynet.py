# ActivityNet v1.2: 100 classes, trained on the trimmed actions of the 4,819 training
# videos, tested on the 2,383 untrimmed validation videos (the labels of the 2,480 test
# videos are not public), which may show several classes.
_base_ = '../pipelines/two_stream.py'

dataset_type = 'CheckedVideoDataset'
data_root = 'data/activitynet'
num_classes = 100
how_to_get = ('The list of videos is at http://activity-net.org/download.html; '
              'annotation files have lines of "path label" for trimmed and '
              '"path label label ..." for untrimmed videos, see '
              'docs/hidden_two_stream.md')

train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/activitynet_train_videos.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        num_classes=num_classes,
        how_to_get=how_to_get,
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/activitynet_val_videos.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        num_classes=num_classes,
        multi_class=True,
        how_to_get=how_to_get,
        pipeline=_base_.val_pipeline,
        test_mode=True))
test_dataloader = dict(
    batch_size=1,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/activitynet_val_videos.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        num_classes=num_classes,
        multi_class=True,
        how_to_get=how_to_get,
        pipeline=_base_.test_pipeline,
        test_mode=True))

val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
