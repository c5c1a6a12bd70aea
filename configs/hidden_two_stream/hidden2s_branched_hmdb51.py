# The paper's worse alternative: a classifier of MotionNet's own features.
_base_ = [
    '../_base_/models/hidden2s_branched.py', '../_base_/datasets/hmdb51.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/hidden2s_8500.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_hmdb51/iter_400000.pth'))),
    cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
