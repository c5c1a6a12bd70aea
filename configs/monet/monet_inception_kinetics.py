# MoNet from the appearance features of YouTube-8M to I3D's flow features, on Kinetics:
# data/kinetics400_features/inception_*.npz holds features of the Inception network at 1
# frame a second, made (PCA, whitening) as YouTube-8M's are, and flow_1fps_*.npz the flow
# features at the same times.
_base_ = '../monet_i3d_kinetics.py'

model = dict(appearance_head=None)
data_root = '{{$FLOWZOO_DATA:data}}/kinetics400_features'
train_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/inception_train.npz',
        flow=f'{data_root}/flow_1fps_train.npz'))
val_dataloader = dict(
    dataset=dict(
        appearance=f'{data_root}/inception_val.npz',
        flow=f'{data_root}/flow_1fps_val.npz'))
test_dataloader = val_dataloader
