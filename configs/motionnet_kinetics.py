_base_ = './motionnet_ucf101.py'

data_root = 'data/kinetics400/videos_train'
data_root_val = 'data/kinetics400/videos_val'
ann_file_train = 'data/kinetics400/kinetics400_train_list_videos.txt'
ann_file_val = 'data/kinetics400/kinetics400_val_list_videos.txt'
how_to_get = ('tools/data/kinetics of mmaction2 downloads the videos '
              '(preprocess_k400.sh) and writes the annotation files '
              '(generate_videos_filelist.sh kinetics400); see '
              'https://mmaction2.readthedocs.io/en/latest/user_guides/'
              'prepare_dataset.html')

train_dataset = dict(
    ann_file=ann_file_train,
    data_prefix=dict(video=data_root),
    num_classes=400,
    how_to_get=how_to_get)
val_dataset = dict(
    train_dataset,
    ann_file=ann_file_val,
    data_prefix=dict(video=data_root_val))
train_dataloader = dict(dataset=train_dataset)
val_dataloader = dict(dataset=val_dataset)
test_dataloader = dict(dataset=val_dataset)
