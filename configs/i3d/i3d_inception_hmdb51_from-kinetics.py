# Table 9 of representation flow, "HMDB(+Kin)": "I3D (RGB)", from the Kinetics network at a
# tenth of the rate
_base_ = 'i3d_inception_hmdb51.py'

load_from = 'work_dirs/i3d_inception_kinetics/iter_110000.pth'
optim_wrapper = dict(optimizer=dict(lr=0.01))
