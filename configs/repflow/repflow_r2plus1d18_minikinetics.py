# Table 7: after block 3, from inflated ImageNet weights as the 3D networks of table 6 (the
# paper does not say whether). 24 clips in all on 8 GPUs, as the paper's 3D networks
_base_ = [
    '../_base_/models/repflow_r2plus1d50.py',
    '../_base_/datasets/minikinetics.py',
    '../_base_/pipelines/repflow_16x112.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        depth=18,
        pretrained='https://download.pytorch.org/models/resnet18-f37072fd.pth'),
    cls_head=dict(num_classes=150, in_channels=512))
auto_scale_lr = dict(base_batch_size=24)

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
