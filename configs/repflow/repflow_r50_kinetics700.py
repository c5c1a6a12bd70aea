_base_ = ['../repflow_r50_kinetics.py', '../_base_/datasets/kinetics700_files.py']

model = dict(cls_head=dict(num_classes=700))

train_dataloader = dict(dataset=_base_.kinetics700_train)
val_dataloader = dict(dataset=_base_.kinetics700_val)
test_dataloader = dict(dataset=_base_.kinetics700_val)
