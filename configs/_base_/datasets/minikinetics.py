# Mini-Kinetics as in Representation Flow for Action Recognition: clips of 150 classes of
# Kinetics-400, by the authors' lists.
root = '{{$FLOWZOO_DATA:data}}/minikinetics'
num_classes = 150
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py minikinetics --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/minikinetics_train_list_videos.txt',
    **files)
val_data = dict(ann_file=f'{root}/minikinetics_val_list_videos.txt', **files)
test_data = val_data
