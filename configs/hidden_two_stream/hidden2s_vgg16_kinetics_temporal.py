# Stage 2 of 3: the temporal network, on the flow of motionnet_kinetics.py. From here
# hidden2s_vgg16_kinetics.py continues from it.
_base_ = [
    '../_base_/models/hidden2s_vgg16.py', '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/hidden2s_temporal_20k.py',
    '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                type='Pretrained',
                checkpoint='work_dirs/motionnet_kinetics/iter_400000.pth',
                prefix='backbone.')),
        temporal=dict(pretrained='torchvision://vgg16'),
        train_motion='fixed',
        flow_to_image=dict(quantize=True)),
    cls_head=dict(num_classes=_base_.num_classes))

train_dataloader = dict(dataset=dict(_base_.train_data, num_classes=400))
val_dataloader = dict(dataset=dict(_base_.val_data, num_classes=400))
test_dataloader = dict(dataset=dict(_base_.test_data, num_classes=400))
