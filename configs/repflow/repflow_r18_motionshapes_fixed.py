_base_ = '../repflow_r18_motionshapes.py'

model = dict(backbone=dict(flow_cfg=dict(learn=())))
