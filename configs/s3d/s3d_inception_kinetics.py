# S3D without gates
_base_ = 's3dg_inception_kinetics.py'

model = dict(backbone=dict(gating=False))
