# Features of UCF101, of networks on RGB and on flow; one of its three splits, as in
# ucf101.py.
_base_ = './kinetics400_features.py'

data_root = '{{$FLOWZOO_DATA:data}}/ucf101_features'
split = {{'$SPLIT:1'}}
train_files = dict(
    appearance=f'{data_root}/appearance_train_split_{split}.npz',
    flow=f'{data_root}/flow_train_split_{split}.npz',
    num_classes=101)
test_files = dict(
    appearance=f'{data_root}/appearance_val_split_{split}.npz',
    flow=f'{data_root}/flow_val_split_{split}.npz',
    num_classes=101)

train_dataloader = dict(dataset=train_files)
val_dataloader = dict(dataset=test_files)
test_dataloader = dict(dataset=test_files)
