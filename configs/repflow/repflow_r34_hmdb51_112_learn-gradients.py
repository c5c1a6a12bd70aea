# Table 2: the kernels of the image gradient and of the flow's ("Sobel") learned
_base_ = 'repflow_r34_hmdb51_112.py'

model = dict(backbone=dict(flow_cfg=dict(learn=('image', 'flow'))))
