# UCF101, one of its three splits: SPLIT=2 python tools/train.py ...; without it, split 1.
root = '{{$FLOWZOO_DATA:data}}/ucf101'
num_classes = 101
split = {{'$SPLIT:1'}}
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py ucf101 --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/ucf101_train_split_{split}_videos.txt',
    **files)
val_data = dict(
    ann_file=f'{root}/ucf101_val_split_{split}_videos.txt',
    **files)
test_data = val_data
