# Classifiers of YouTube-8M's own features and of the flow features that MoNet, trained
# on Kinetics, makes of them.
_base_ = [
    '_base_/models/monet.py', '_base_/datasets/youtube8m.py',
    '_base_/pipelines/monet_youtube8m.py',
    '_base_/schedules/monet_classifiers_20e.py', '_base_/default_runtime.py'
]

model = dict(
    learn='fusion',
    appearance_head=dict(num_classes=3862, multi_class=True),
    flow_head=dict(num_classes=3862, multi_class=True),
    neck=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/monet_inception_kinetics/epoch_40.pth',
            prefix='neck.')))
default_hooks = dict(
    checkpoint=dict(
        save_best='youtube8m/two_stream_gap@20', rule='greater'))

auto_scale_lr = dict(base_batch_size=160)
train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
