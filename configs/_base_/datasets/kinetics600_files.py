# Files of Kinetics-600, to be put in the place of Kinetics-400's.
kinetics600_root = '{{$FLOWZOO_DATA:data}}/kinetics600'
kinetics600_files = dict(
    data_prefix=dict(video=f'{kinetics600_root}/videos'),
    num_classes=600,
    how_to_get=('python tools/data/prepare.py kinetics600 --root FOLDER writes the '
                'annotation files; docs/data.md says where to get the videos'))
kinetics600_train = dict(
    ann_file=f'{kinetics600_root}/kinetics600_train_list_videos.txt',
    **kinetics600_files)
kinetics600_val = dict(
    ann_file=f'{kinetics600_root}/kinetics600_val_list_videos.txt',
    **kinetics600_files)
