# UCF101, one of its three splits: SPLIT=2 python tools/train.py ...; without it, split 1.
# Videos and annotation files as mmaction2's scripts write them.
_base_ = '../pipelines/two_stream.py'

dataset_type = 'CheckedVideoDataset'
data_root = 'data/ucf101'
num_classes = 101
split = {{'$SPLIT:1'}}
how_to_get = ('tools/data/ucf101 of mmaction2 downloads the videos '
              '(download_videos.sh) and writes the annotation files '
              '(download_annotations.sh, generate_videos_filelist.sh); see '
              'https://mmaction2.readthedocs.io/en/latest/user_guides/'
              'prepare_dataset.html')

train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/ucf101_train_split_{split}_videos.txt',
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
        ann_file=f'{data_root}/ucf101_val_split_{split}_videos.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        num_classes=num_classes,
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
        ann_file=f'{data_root}/ucf101_val_split_{split}_videos.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        num_classes=num_classes,
        how_to_get=how_to_get,
        pipeline=_base_.test_pipeline,
        test_mode=True))

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
