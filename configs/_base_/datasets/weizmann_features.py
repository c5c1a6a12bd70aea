# Features of the Weizmann clips by networks that have not seen the actor of the split;
# SPLIT=3 python tools/train.py ... leaves out the third.
root = '{{$FLOWZOO_DATA:data}}/weizmann_features'
num_classes = 10
split = {{'$SPLIT:1'}}
files = dict(
    type='FeatureDataset',
    num_classes=num_classes,
    download_hint=(
        'tools/data/extract_features.py writes it; benchmarks/comparison_monet.py '
        'has the options'))

train_data = dict(
    appearance=f'{root}/appearance_train_split_{split}.npz',
    flow=f'{root}/flow_train_split_{split}.npz',
    **files)
val_data = dict(
    appearance=f'{root}/appearance_val_split_{split}.npz',
    flow=f'{root}/flow_val_split_{split}.npz',
    **files)
test_data = val_data
