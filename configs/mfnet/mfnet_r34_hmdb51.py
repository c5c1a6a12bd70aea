# Table 8 of representation flow, MFNet, on HMDB51, split 1
# (SPLIT=2 python tools/train.py ...): its network with motion blocks in the place of the
# layer. All but the method is our choice.
_base_ = '../repflow/repflow_r34_hmdb51.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='MFNet',
        depth=34,
        pretrained='torchvision://resnet34'))
