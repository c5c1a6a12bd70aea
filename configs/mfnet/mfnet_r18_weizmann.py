# A quarter of the channels, input and schedule as repflow_r18_weizmann.py's
_base_ = '../repflow_r18_weizmann.py'

model = dict(
    backbone=dict(
        _delete_=True, type='MFNet', depth=18, reduction=4, base_channels=16))
