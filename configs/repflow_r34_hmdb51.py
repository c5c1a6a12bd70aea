# Table 8, "ours", on HMDB51, split 1 (SPLIT=2 python tools/train.py ...): 16 frames of
# 224 x 224, as in repflow_r34_minikinetics_224.py
_base_ = 'repflow_r50_hmdb51.py'

model = dict(
    backbone=dict(depth=34), cls_head=dict(num_classes=51, in_channels=512))

sample = dict(
    type='SampleFrames',
    clip_len=16,
    frame_interval=2,
    out_of_bound_opt='repeat_last')
train_pipeline = [
    dict(type='OpenVideo'), sample, *_base_.repflow_train_pipeline[2:]
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, test_mode=True), *_base_.repflow_val_pipeline[2:]
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, num_clips=10, test_mode=True),
    *_base_.repflow_test_pipeline[2:]
]

# on 4 GPUs
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
