# Kinetics-400
root = '{{$FLOWZOO_DATA:data}}/kinetics400'
num_classes = 400
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    download_hint=(
        'python tools/data/prepare.py kinetics400 --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/kinetics400_train_list_videos.txt',
    **files)
val_data = dict(ann_file=f'{root}/kinetics400_val_list_videos.txt', **files)
test_data = val_data
