# The (2+1)D network of table 9 without the layer. The paper's row "RGB R(2+1)D" is Tran et
# al.'s network: repflow_tran_r2plus1d34_kinetics_rgb.py.
_base_ = 'repflow_r2plus1d50_kinetics.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))
