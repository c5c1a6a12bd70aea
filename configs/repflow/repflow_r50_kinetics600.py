_base_ = ['../repflow_r50_kinetics.py', '../_base_/datasets/kinetics600_files.py']

model = dict(cls_head=dict(num_classes=600))

train_dataloader = dict(dataset=_base_.kinetics600_train)
val_dataloader = dict(dataset=_base_.kinetics600_val)
test_dataloader = dict(dataset=_base_.kinetics600_val)
