_base_ = '../repflow_r18_motionshapes.py'

model = dict(
    backbone=dict(late_fusion=True), cls_head=dict(in_channels=256))
