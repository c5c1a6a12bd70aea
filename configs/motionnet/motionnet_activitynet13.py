_base_ = [
    '../_base_/models/motionnet.py', '../_base_/datasets/activitynet13.py',
    '../_base_/schedules/motionnet_400k.py', '../_base_/motionnet_runtime.py'
]

# one clip from the middle of each video
test_pipeline = {{_base_.val_pipeline}}
train_dataloader = dict(
    batch_size=16, sampler=dict(type='InfiniteSampler', shuffle=True))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=test_pipeline))
val_evaluator = dict(_delete_=True, type='FlowMetric')
test_evaluator = val_evaluator
