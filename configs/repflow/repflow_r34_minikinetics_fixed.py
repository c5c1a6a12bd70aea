# Nothing learned: table 2, "None", whose number is that of tables 1, 4 and 5 too
_base_ = '../repflow_r34_minikinetics.py'

model = dict(backbone=dict(flow_cfg=dict(learn=())))
