# Files of Kinetics-700, to be put in the place of Kinetics-400's.
kinetics700_root = '{{$FLOWZOO_DATA:data}}/kinetics700'
kinetics700_files = dict(
    data_prefix=dict(video=f'{kinetics700_root}/videos'),
    num_classes=700,
    how_to_get=('python tools/data/prepare.py kinetics700 --root FOLDER writes the '
                'annotation files; docs/data.md says where to get the videos'))
kinetics700_train = dict(
    ann_file=f'{kinetics700_root}/kinetics700_train_list_videos.txt',
    **kinetics700_files)
kinetics700_val = dict(
    ann_file=f'{kinetics700_root}/kinetics700_val_list_videos.txt',
    **kinetics700_files)
