# Features of HMDB51, of networks on RGB and on flow; one of its three splits, as in
# hmdb51.py.
root = '{{$FLOWZOO_DATA:data}}/hmdb51_features'
num_classes = 51
split = {{'$SPLIT:1'}}
files = dict(
    type='FeatureDataset',
    num_classes=num_classes,
    download_hint=(
        'python tools/data/extract_features.py writes it with a recognizer on '
        'RGB and one on flow; docs/monet.md says how'))

train_data = dict(
    appearance=f'{root}/appearance_train_split_{split}.npz',
    flow=f'{root}/flow_train_split_{split}.npz',
    **files)
val_data = dict(
    appearance=f'{root}/appearance_val_split_{split}.npz',
    flow=f'{root}/flow_val_split_{split}.npz',
    **files)
test_data = val_data
