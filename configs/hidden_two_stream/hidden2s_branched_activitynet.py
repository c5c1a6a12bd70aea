# The paper's worse alternative: a classifier of MotionNet's own features.
# The schedule is that of UCF101; the paper gives none for this dataset.
_base_ = [
    '../_base_/models/hidden2s_branched.py',
    '../_base_/datasets/activitynet.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_activitynet/iter_400000.pth'))),
    cls_head=dict(num_classes=_base_.num_classes, average_clips='prob'))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
