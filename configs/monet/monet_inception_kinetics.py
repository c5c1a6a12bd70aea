# MoNet from the appearance features of YouTube-8M to I3D's flow features, on Kinetics:
# data/kinetics400_features/inception_*.npz holds features of Inception-v3 at 1 frame a
# second, made as YouTube-8M's are (tools/data/extract_youtube8m_features.py), and
# flow_1fps_*.npz the flow features at the same times, for which there is no tool.
_base_ = '../monet_i3d_kinetics.py'

model = dict(appearance_head=None)
data_root = '{{$FLOWZOO_DATA:data}}/kinetics400_features'
download_hint = (
    'tools/data/extract_youtube8m_features.py writes the appearance features; '
    'docs/monet.md says what is known of the flow features')
train_dataloader = dict(
    dataset=dict(
        download_hint=download_hint,
        appearance=f'{data_root}/inception_train.npz',
        flow=f'{data_root}/flow_1fps_train.npz'))
val_dataloader = dict(
    dataset=dict(
        download_hint=download_hint,
        appearance=f'{data_root}/inception_val.npz',
        flow=f'{data_root}/flow_1fps_val.npz'))
test_dataloader = val_dataloader
