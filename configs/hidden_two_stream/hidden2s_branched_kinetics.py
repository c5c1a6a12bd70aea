# The paper's worse alternative: a classifier of MotionNet's own features.
# The schedule is that of UCF101; the paper does not train on this dataset.
_base_ = [
    '../_base_/models/hidden2s_branched.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_kinetics/iter_400000.pth'))),
    cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(dataset=dict(_base_.train_data, num_classes=400))
val_dataloader = dict(dataset=dict(_base_.val_data, num_classes=400))
test_dataloader = dict(dataset=dict(_base_.test_data, num_classes=400))
