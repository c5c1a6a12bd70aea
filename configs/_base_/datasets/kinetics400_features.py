# Features of I3D's last pooling at 25 frames a second, of RGB and of TV-L1 flow, in
# files of tools/data/extract_features.py.
root = '{{$FLOWZOO_DATA:data}}/kinetics400_features'
num_classes = 400
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
    **files)
test_data = val_data
