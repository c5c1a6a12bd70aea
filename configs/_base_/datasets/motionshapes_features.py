# Features of MotionShapes, written by benchmarks/monet_motionshapes.py --features-only:
# of a network on frames and of one on true flow.
_base_ = './kinetics400_features.py'

data_root = '{{$FLOWZOO_DATA:data}}/motionshapes_features'
loader = dict(batch_size=64, num_workers=0, persistent_workers=False)
files = dict(
    num_classes=8,
    how_to_get='python benchmarks/monet_motionshapes.py --features-only writes it')

train_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/appearance_train.npz',
        flow=f'{data_root}/flow_train.npz',
        **files),
    **loader)
val_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/appearance_val.npz',
        flow=f'{data_root}/flow_val.npz',
        **files),
    **loader)
test_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/appearance_test.npz',
        flow=f'{data_root}/flow_test.npz',
        **files),
    **loader)
