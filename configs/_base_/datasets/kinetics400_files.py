# Files of Kinetics-400.
kinetics400_root = '{{$FLOWZOO_DATA:data}}/kinetics400'
kinetics400_files = dict(
    data_prefix=dict(video=f'{kinetics400_root}/videos'),
    how_to_get=('python tools/data/prepare.py kinetics400 --root FOLDER writes the '
                'annotation files; docs/data.md says where to get the videos'))
kinetics400_train = dict(
    ann_file=f'{kinetics400_root}/kinetics400_train_list_videos.txt',
    **kinetics400_files)
kinetics400_val = dict(
    ann_file=f'{kinetics400_root}/kinetics400_val_list_videos.txt',
    **kinetics400_files)
