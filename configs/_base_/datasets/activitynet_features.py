# Features of ActivityNet v1.2, of networks on RGB and on flow: of untrimmed videos with
# all their classes (activitynet_train_videos.txt, activitynet_val_videos.txt).
root = '{{$FLOWZOO_DATA:data}}/activitynet_features'
num_classes = 100
files = dict(
    type='FeatureDataset',
    num_classes=num_classes,
    download_hint=(
        'python tools/data/extract_features.py writes it with a recognizer on '
        'RGB and one on flow; docs/monet.md says how'))

train_data = dict(
    appearance=f'{root}/appearance_train.npz',
    flow=f'{root}/flow_train.npz',
    multi_class=True,
    **files)
val_data = dict(
    appearance=f'{root}/appearance_val.npz',
    flow=f'{root}/flow_val.npz',
    multi_class=True,
    **files)
test_data = val_data
