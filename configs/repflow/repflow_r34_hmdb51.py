# Table 8, "ours", on HMDB51, split 1 (SPLIT=2 python tools/train.py ...): 16 frames of
# 224 x 224, as in repflow_r34_minikinetics_224.py
_base_ = '../repflow_r50_hmdb51.py'

model = dict(
    backbone=dict(depth=34), cls_head=dict(num_classes=51, in_channels=512))

# on 4 GPUs
train_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.repflow_16_train_pipeline))
val_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.repflow_16_val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.repflow_16_test_pipeline))
test_pipeline = _base_.repflow_16_test_pipeline
