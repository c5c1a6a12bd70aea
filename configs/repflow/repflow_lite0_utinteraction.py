# Leaving one sequence out: SPLIT=3 python tools/train.py ... 54 clips: an epoch has seven
# iterations. There are no clips to validate on but the test split's, so that the network is
# the last epoch's.
_base_ = [
    '../_base_/models/repflow_lite0.py', '../_base_/datasets/ut_interaction.py',
    '../_base_/pipelines/repflow_utinteraction.py',
    '../_base_/schedules/lite0_40e.py', '../_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=6))
optim_wrapper = dict(optimizer=dict(lr=0.003))
default_hooks = dict(checkpoint=dict(interval=20, save_best=None))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
