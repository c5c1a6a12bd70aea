# HMDB51, one of its three splits: SPLIT=2 python tools/train.py ...; without it, split 1.
_base_ = './two_stream_videos.py'

data_root = '{{$FLOWZOO_DATA:data}}/hmdb51'
num_classes = 51
split = {{'$SPLIT:1'}}
files = dict(
    data_prefix=dict(video=f'{data_root}/videos'),
    num_classes=num_classes,
    how_to_get=('python tools/data/prepare.py hmdb51 --root FOLDER writes the '
                'annotation files; docs/data.md says where to get the videos'))
test_file = f'{data_root}/hmdb51_val_split_{split}_videos.txt'

train_dataloader = dict(
    dataset=dict(
        ann_file=f'{data_root}/hmdb51_train_split_{split}_videos.txt',
        **files))
val_dataloader = dict(dataset=dict(ann_file=test_file, **files))
test_dataloader = dict(dataset=dict(ann_file=test_file, **files))
