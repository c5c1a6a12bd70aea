# Stage 2 of 3: the temporal network, on the flow of motionnet_ucf101.py. From here
# hidden2s_i3d_ucf101.py continues from it.
_base_ = [
    '../_base_/models/hidden2s_i3d.py', '../_base_/datasets/ucf101.py',
    '../_base_/pipelines/two_stream_long_clips.py',
    '../_base_/schedules/hidden2s_temporal_20k.py',
    '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                type='Pretrained',
                checkpoint='work_dirs/motionnet_ucf101/iter_400000.pth',
                prefix='backbone.')),
        temporal=dict(
            init_cfg=dict(
                type='Pretrained',
                checkpoint='work_dirs/i3d_inception_kinetics_flow/iter_110000.pth',
                prefix='backbone.')),
        train_motion='fixed',
        flow_to_image=dict(quantize=True)),
    cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
