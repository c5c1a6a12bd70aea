# Table 9 of representation flow, "HMDB(+Kin)": "I3D (Flow)", from the Kinetics network at a
# tenth of the rate
_base_ = 'i3d_inception_hmdb51_flow.py'

load_from = 'work_dirs/i3d_inception_kinetics_flow/iter_110000.pth'
optim_wrapper = dict(optimizer=dict(lr=0.01))
