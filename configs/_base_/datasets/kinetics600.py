# Kinetics-600
root = '{{$FLOWZOO_DATA:data}}/kinetics600'
num_classes = 600
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py kinetics600 --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/kinetics600_train_list_videos.txt',
    **files)
val_data = dict(ann_file=f'{root}/kinetics600_val_list_videos.txt', **files)
test_data = val_data
