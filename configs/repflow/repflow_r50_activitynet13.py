# The clips and the schedule are those of HMDB51; the paper does not train on this data
# set.
_base_ = [
    '../_base_/models/repflow_r50.py', '../_base_/datasets/activitynet13.py',
    '../_base_/pipelines/repflow.py', '../_base_/schedules/repflow_hmdb51_50e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    cls_head=dict(num_classes=_base_.num_classes, dropout_ratio=0.8))

train_dataloader = dict(
    batch_size=4, dataset=dict(pipeline=_base_.repflow_train_pipeline))
val_dataloader = dict(
    batch_size=4, dataset=dict(pipeline=_base_.repflow_val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.repflow_test_pipeline))
test_pipeline = _base_.repflow_test_pipeline
