# The schedule is that of UCF101; the paper does not train on this dataset.
_base_ = [
    '../_base_/models/hidden2s_i3d.py', '../_base_/datasets/kinetics400_two_stream.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                checkpoint='work_dirs/motionnet_kinetics/iter_400000.pth'))),
    cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=_base_.long_train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.long_val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.long_test_pipeline))
test_pipeline = _base_.long_test_pipeline
