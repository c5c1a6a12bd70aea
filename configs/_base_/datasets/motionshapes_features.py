# Features of MotionShapes, written by benchmarks/monet_motionshapes.py --features-only:
# of a network on frames and of one on true flow.
root = '{{$FLOWZOO_DATA:data}}/motionshapes_features'
num_classes = 8
files = dict(
    type='FeatureDataset',
    num_classes=num_classes,
    download_hint='python benchmarks/monet_motionshapes.py --features-only writes it')

train_data = dict(
    appearance=f'{root}/appearance_train.npz',
    flow=f'{root}/flow_train.npz',
    **files)
val_data = dict(
    appearance=f'{root}/appearance_val.npz',
    flow=f'{root}/flow_val.npz',
    **files)
test_data = dict(
    appearance=f'{root}/appearance_test.npz',
    flow=f'{root}/flow_test.npz',
    **files)
