_base_ = ['../motionnet_kinetics.py', '../_base_/datasets/kinetics700_files.py']

train_dataloader = dict(dataset=_base_.kinetics700_train)
val_dataloader = dict(dataset=_base_.kinetics700_val)
test_dataloader = dict(dataset=_base_.kinetics700_val)
