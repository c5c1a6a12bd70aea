# mmaction2's TSM with a representation-flow layer on its features
_base_ = [
    'mmaction::recognition/tsm/'
    'tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb.py',
    '../_base_/datasets/kinetics400.py'
]

custom_imports = dict(imports=['flowzoo'])
model = dict(
    type='RepFlowRecognizer2D',
    neck=dict(type='RepFlowNeck', in_channels=2048, num_segments=8))
# instead of TSM's own, which rejects layers that it does not know
optim_wrapper = dict(
    constructor='FlowOptimWrapperConstructor',
    paramwise_cfg=dict(_delete_=True, flow_lr_mult=0.01))

# the files as tools/data/prepare.py writes them
train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
