# One set of UT-Interaction. The clips differ in size and length by class, hence the
# square crop and the fixed number of frames from the middle of the clip.
dataset_type = 'CheckedVideoDataset'
data_root = 'data/ut_interaction'
how_to_get = ('python tools/data/prepare_ut_interaction.py FOLDER_WITH_THE_CLIPS '
              'writes the annotation files')

train_pipeline = [
    dict(type='OpenVideo'),
    dict(
        type='SampleFrames',
        clip_len=16,
        frame_interval=3,
        out_of_bound_opt='repeat_last'),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 96)),
    dict(type='RandomCrop', size=80),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(
        type='SampleFrames',
        clip_len=16,
        frame_interval=3,
        num_clips=3,
        out_of_bound_opt='repeat_last',
        test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 96)),
    dict(type='CenterCrop', crop_size=80),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/train.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        how_to_get=how_to_get,
        num_classes=6,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/test.txt',
        data_prefix=dict(video=f'{data_root}/videos'),
        how_to_get=how_to_get,
        num_classes=6,
        pipeline=test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
