# Stage 2 of 3: the temporal network, on the flow of motionnet_thumos14.py. From here
# hidden2s_tsn_thumos14.py continues from it.
_base_ = [
    '../_base_/models/hidden2s_tsn.py', '../_base_/datasets/thumos14.py',
    '../_base_/pipelines/two_stream_clips.py',
    '../_base_/schedules/hidden2s_temporal_20k.py',
    '../_base_/two_stream_runtime.py'
]

model = dict(
    backbone=dict(
        motion_net=dict(
            init_cfg=dict(
                type='Pretrained',
                checkpoint='work_dirs/motionnet_thumos14/iter_400000.pth',
                prefix='backbone.')),
        temporal=dict(
            pretrained='https://data.lip6.fr/cadene/pretrainedmodels/'
            'bn_inception-52deb4733.pth'),
        train_motion='fixed',
        flow_to_image=dict(quantize=True)),
    cls_head=dict(num_classes=_base_.num_classes, average_clips='prob'))

train_dataloader = dict(
    dataset=dict(_base_.train_data, pipeline=_base_.segments_train_pipeline))
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
val_evaluator = dict(type='UntrimmedMAP')
test_evaluator = val_evaluator
