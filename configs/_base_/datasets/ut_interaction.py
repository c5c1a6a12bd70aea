# One set of UT-Interaction without one of its sequences, which is the test split:
# SPLIT=3 python tools/train.py ... leaves out sequence 3; without it, sequence 1.
root = '{{$FLOWZOO_DATA:data}}/ut_interaction'
num_classes = 6
split = {{'$SPLIT:1'}}
files = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video=f'{root}/videos'),
    num_classes=num_classes,
    download_hint=(
        'python tools/data/prepare_ut_interaction.py FOLDER_WITH_THE_CLIPS '
        'writes the annotation files and small copies of the clips'))

train_data = dict(
    ann_file=f'{root}/ut_interaction_train_split_{split}_videos.txt',
    **files)
val_data = dict(
    ann_file=f'{root}/ut_interaction_val_split_{split}_videos.txt',
    **files)
test_data = val_data
