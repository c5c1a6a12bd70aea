# Table 9: HMDB51, split 1 (SPLIT=2 python tools/train.py ...). For "HMDB(+Kin)" start from
# Kinetics: --cfg-options load_from=WEIGHTS_OF_repflow_r50_kinetics
_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/hmdb51.py',
    '_base_/schedules/repflow_hmdb51_50e.py', '_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=51, dropout_ratio=0.8))

# the pipelines of repflow_r50_kinetics.py
sample = dict(
    type='SampleFrames', clip_len=32, out_of_bound_opt='repeat_last')
train_pipeline = [
    dict(type='OpenVideo'), sample,
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(sample, num_clips=10, test_mode=True),
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='ThreeCrop', crop_size=256),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]

train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
