# MoNet of 4 layers, table 2.
_base_ = '../monet_i3d_kinetics.py'

model = dict(neck=dict(num_layers=4))
