# Mini-Kinetics as in Representation Flow for Action Recognition: the videos of 150
# classes of Kinetics-400, 16 frames of 112 x 112, every second one, as the authors'
# loader takes them.
_base_ = './kinetics400.py'

data_root = '{{$FLOWZOO_DATA:data}}/minikinetics'
val_file = f'{data_root}/minikinetics_val_list_videos.txt'
files = dict(
    data_prefix=dict(video=f'{data_root}/videos'),
    num_classes=150,
    how_to_get=('python tools/data/prepare.py minikinetics --root FOLDER writes the '
                'annotation files; docs/data.md says where to get the videos'))

# A shorter video repeats its last frame: going back to its first one, as mmaction2's
# default does, would look like motion.
sample = dict(
    type='SampleFrames',
    clip_len=16,
    frame_interval=2,
    out_of_bound_opt='repeat_last')

train_pipeline = [
    dict(type='OpenVideo'), sample,
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 128)),
    dict(type='RandomCrop', size=112),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 128)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
# Scores of a test video are averaged over ten clips; the paper does not say over how
# many.
test_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, num_clips=10, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 128)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

# On 4 GPUs, as in the paper: 32 clips in all.
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file=f'{data_root}/minikinetics_train_list_videos.txt',
        pipeline=train_pipeline,
        **files))
val_dataloader = dict(
    batch_size=8,
    dataset=dict(ann_file=val_file, pipeline=val_pipeline, **files))
test_dataloader = dict(
    dataset=dict(ann_file=val_file, pipeline=test_pipeline, **files))
