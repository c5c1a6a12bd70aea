# A quarter of the channels, input and schedule as repflow_r18_weizmann.py's
_base_ = '../repflow_r18_weizmann.py'

model = dict(
    backbone=dict(
        _delete_=True, type='MFNet', depth=18, reduction=4, base_channels=16))

# what benchmarks/comparison.py found
optim_wrapper = dict(optimizer=dict(lr=1e-2))
