_base_ = [
    '../_base_/models/hidden2s_branched.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/hidden2s_16k.py', '../_base_/two_stream_runtime.py'
]

train_dataloader = dict(sampler=dict(type='InfiniteSampler', shuffle=True))
