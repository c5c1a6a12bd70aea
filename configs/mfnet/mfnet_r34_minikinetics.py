# Table 8 of representation flow, MFNet: its network with motion blocks in the
# place of the layer. All but the method is our choice.
_base_ = '../repflow/repflow_r34_minikinetics_224.py'

model = dict(backbone=dict(_delete_=True, type='MFNet', depth=34))
