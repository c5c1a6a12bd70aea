# mmaction2's SlowOnly with a representation-flow layer on its features
_base_ = [
    'mmaction::recognition/slowonly/slowonly_imagenet-pretrained-r50_8xb16-'
    '8x8x1-steplr-150e_kinetics400-rgb.py',
    '../_base_/datasets/kinetics400.py'
]

custom_imports = dict(imports=['flowzoo'])
model = dict(neck=dict(type='RepFlowNeck', in_channels=2048))
optim_wrapper = dict(
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(flow_lr_mult=0.01))

# the files as tools/data/prepare.py writes them
train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
