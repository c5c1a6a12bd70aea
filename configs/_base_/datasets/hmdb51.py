# HMDB51, one of its three splits: SPLIT=2 python tools/train.py ...; without it, split 1.
root = '{{$FLOWZOO_DATA:data}}/hmdb51'
num_classes = 51
split = {{'$SPLIT:1'}}
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py hmdb51 --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/hmdb51_train_split_{split}_videos.txt',
    **files)
val_data = dict(
    ann_file=f'{root}/hmdb51_val_split_{split}_videos.txt',
    **files)
test_data = val_data
