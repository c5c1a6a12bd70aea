# ActivityNet v1.2: 100 classes, trained on the actions of the 4,819 training videos,
# tested on the 2,383 untrimmed validation videos (the labels of the 2,480 test videos are
# not public), which may show several classes.
root = '{{$FLOWZOO_DATA:data}}/activitynet12'
num_classes = 100
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py activitynet12 --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/activitynet_train_windows.txt',
    windows=True,
    **files)
val_data = dict(
    ann_file=f'{root}/activitynet_val_videos.txt',
    multi_class=True,
    **files)
test_data = val_data
