# ActivityNet v1.3: 200 classes, trained on the actions of the 10,024 training videos,
# tested on the 4,926 untrimmed validation videos.
root = '{{$FLOWZOO_DATA:data}}/activitynet13'
num_classes = 200
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py activitynet13 --root FOLDER writes the '
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
