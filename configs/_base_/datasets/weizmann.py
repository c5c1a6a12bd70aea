# Weizmann actions, leaving one of the nine actors out:
# SPLIT=3 python tools/train.py ... leaves out the third; without it, the first.
root = '{{$FLOWZOO_DATA:data}}/weizmann'
num_classes = 10
split = {{'$SPLIT:1'}}
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare.py weizmann --root FOLDER writes the '
        'annotation files; docs/data.md says where to get the videos'))

train_data = dict(
    ann_file=f'{root}/weizmann_train_split_{split}_videos.txt',
    **files)
val_data = dict(
    ann_file=f'{root}/weizmann_val_split_{split}_videos.txt',
    **files)
test_data = val_data
