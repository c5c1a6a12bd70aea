# THUMOS14, classification: trained on the trimmed videos of UCF101, validated and tested
# on untrimmed videos that may show several classes. Labels are those of UCF101, 0 to 100.
_base_ = '../pipelines/two_stream.py'

dataset_type = 'CheckedVideoDataset'
data_root = 'data/thumos14'
num_classes = 101
how_to_get = ('The videos are at https://www.crcv.ucf.edu/THUMOS14/download.html; '
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
        ann_file=f'{data_root}/thumos14_train_videos.txt',
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
        ann_file=f'{data_root}/thumos14_val_videos.txt',
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
        ann_file=f'{data_root}/thumos14_test_videos.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        num_classes=num_classes,
        multi_class=True,
        how_to_get=how_to_get,
        pipeline=_base_.test_pipeline,
        test_mode=True))

val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
