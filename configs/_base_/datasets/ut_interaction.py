# One set of UT-Interaction without one of its sequences, which is the test split:
# SPLIT=3 python tools/train.py ... leaves out sequence 3; without it, sequence 1. The
# clips differ in shape and length by class, hence the square crop and the fixed number
# of frames.
dataset_type = 'CheckedVideoDataset'
data_root = '{{$FLOWZOO_DATA:data}}/ut_interaction'
split = {{'$SPLIT:1'}}
files = dict(
    data_prefix=dict(video=f'{data_root}/videos'),
    num_classes=6,
    how_to_get=('python tools/data/prepare_ut_interaction.py FOLDER_WITH_THE_CLIPS '
                'writes the annotation files and small copies of the clips'))

# Copies have 10 frames per second and a shorter side of 96 pixels.
train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleFrames', clip_len=16, out_of_bound_opt='repeat_last'),
    dict(type='DecodeFrames'),
    dict(type='RandomResizedCrop', area_range=(0.4, 1.0)),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(
        type='SampleFrames',
        clip_len=16,
        num_clips=3,
        out_of_bound_opt='repeat_last',
        test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='CenterCrop', crop_size=96),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/train_split_{split}.txt',
        pipeline=train_pipeline,
        **files))
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        ann_file=f'{data_root}/test_split_{split}.txt',
        pipeline=test_pipeline,
        test_mode=True,
        **files))
test_dataloader = val_dataloader

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
