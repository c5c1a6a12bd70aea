# Mini-Kinetics as in Representation Flow for Action Recognition: the videos of 150
# classes of Kinetics-400, 16 frames of 112 x 112.
_base_ = './kinetics400.py'

data_root = '{{$FLOWZOO_DATA:data}}/minikinetics'
val_file = f'{data_root}/minikinetics_val_list_videos.txt'
files = dict(
    data_prefix=dict(video=f'{data_root}/videos'),
    num_classes=150,
    how_to_get=('python tools/data/prepare.py minikinetics --root FOLDER writes the '
                'annotation files; docs/data.md says where to get the videos'))

test_pipeline = _base_.repflow_112_test_pipeline

# On 4 GPUs, as in the paper: 32 clips in all.
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file=f'{data_root}/minikinetics_train_list_videos.txt',
        pipeline=_base_.repflow_112_train_pipeline,
        **files))
val_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file=val_file,
        pipeline=_base_.repflow_112_val_pipeline,
        **files))
test_dataloader = dict(
    dataset=dict(ann_file=val_file, pipeline=test_pipeline, **files))
