# Table 9, "HMDB(+Kin)": from the Kinetics network
_base_ = '../repflow_r50_hmdb51.py'

model = dict(backbone=dict(pretrained=None))
load_from = 'work_dirs/repflow_r50_kinetics/epoch_200.pth'
