# ActivityNet v1.3: 200 classes, trained on the actions of the 10,024 training videos,
# tested on the 4,926 untrimmed validation videos.
_base_ = './activitynet.py'

data_root = '{{$FLOWZOO_DATA:data}}/activitynet13'
num_classes = 200
files = dict(
    data_prefix=dict(video=f'{data_root}/videos'),
    num_classes=num_classes,
    how_to_get=('python tools/data/prepare.py activitynet13 --root FOLDER writes the '
                'annotation files; docs/data.md says where to get the videos'))
test_file = f'{data_root}/activitynet_val_videos.txt'

train_dataloader = dict(
    dataset=dict(
        ann_file=f'{data_root}/activitynet_train_windows.txt', **files))
val_dataloader = dict(dataset=dict(ann_file=test_file, **files))
test_dataloader = dict(dataset=dict(ann_file=test_file, **files))
