# Scenes for motion estimators, rendered when asked for; the true flow in validation and
# test only.
train_pipeline = [
    dict(type='RenderMotionScene'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')
]
test_pipeline = [
    dict(type='RenderMotionScene'),
    dict(type='FormatFlow'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', algorithm_keys=('gt_flow', ))
]
val_pipeline = test_pipeline

train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='MotionScenesDataset',
        split='train',
        length=100000,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='MotionScenesDataset',
        split='val',
        length=64,
        pipeline=val_pipeline,
        test_mode=True))
test_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='MotionScenesDataset',
        split='test',
        length=200,
        pipeline=test_pipeline,
        test_mode=True))

val_evaluator = dict(type='FlowMetric')
test_evaluator = val_evaluator
