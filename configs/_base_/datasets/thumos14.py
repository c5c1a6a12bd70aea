# THUMOS14, classification: trained on the trimmed videos of UCF101, validated and tested
# on untrimmed videos that may show several classes. THUMOS14_TRAIN=trainval_windows
# trains on the actions of the validation videos too, whose accuracy is then that of
# training videos. Labels are those of UCF101, 0 to 100.
root = '{{$FLOWZOO_DATA:data}}/thumos14'
num_classes = 101
train_list = '{{$THUMOS14_TRAIN:train_videos}}'
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py thumos14 --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/thumos14_{train_list}.txt',
    windows=True,
    **files)
val_data = dict(
    ann_file=f'{root}/thumos14_val_videos.txt',
    multi_class=True,
    **files)
test_data = dict(
    ann_file=f'{root}/thumos14_test_videos.txt',
    multi_class=True,
    **files)
