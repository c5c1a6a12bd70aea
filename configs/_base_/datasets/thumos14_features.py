# Features of THUMOS14, of networks on RGB and on flow: of the trimmed videos of UCF101 for
# training, of untrimmed videos that may show several classes for validation and test.
root = '{{$FLOWZOO_DATA:data}}/thumos14_features'
num_classes = 101
files = dict(
    type='FeatureDataset',
    num_classes=num_classes,
    download_hint=(
        'python tools/data/extract_features.py writes it with a recognizer on '
        'RGB and one on flow; docs/monet.md says how'))

train_data = dict(
    appearance=f'{root}/appearance_train.npz',
    flow=f'{root}/flow_train.npz',
    **files)
val_data = dict(
    appearance=f'{root}/appearance_val.npz',
    flow=f'{root}/flow_val.npz',
    multi_class=True,
    **files)
test_data = dict(
    appearance=f'{root}/appearance_test.npz',
    flow=f'{root}/flow_test.npz',
    multi_class=True,
    **files)
