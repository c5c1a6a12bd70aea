# Table 8, "ours": frames of 224 x 224. The paper says no more; network, layer, learning
# and frames are those of its other rows on Mini-Kinetics.
_base_ = [
    '../_base_/models/repflow_r50.py', '../_base_/datasets/minikinetics.py',
    '../_base_/pipelines/repflow_16x224.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=34), cls_head=dict(num_classes=150, in_channels=512))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
