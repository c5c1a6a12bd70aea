_base_ = './motionnet_ucf101.py'

data_root = 'data/kinetics400/videos'
ann_file_train = 'data/kinetics400/kinetics400_train_list_videos.txt'
ann_file_val = 'data/kinetics400/kinetics400_val_list_videos.txt'
how_to_get = ('python tools/data/prepare.py kinetics400 --root FOLDER writes the '
              'annotation files; docs/data.md says where to get the videos')

train_dataset = dict(
    ann_file=ann_file_train,
    data_prefix=dict(video=data_root),
    num_classes=400,
    how_to_get=how_to_get)
val_dataset = dict(train_dataset, ann_file=ann_file_val)
train_dataloader = dict(dataset=train_dataset)
val_dataloader = dict(dataset=val_dataset)
test_dataloader = dict(dataset=val_dataset)
