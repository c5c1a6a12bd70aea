_base_ = ['../motionnet_kinetics.py', '../_base_/datasets/kinetics600_files.py']

train_dataloader = dict(dataset=_base_.kinetics600_train)
val_dataloader = dict(dataset=_base_.kinetics600_val)
test_dataloader = dict(dataset=_base_.kinetics600_val)
