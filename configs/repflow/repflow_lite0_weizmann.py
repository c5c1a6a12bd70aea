# Leaving one actor out: SPLIT=3 python tools/train.py ... 80 clips: an epoch has ten
# iterations. There are no clips to validate on but the test split's, so that the network is
# the last epoch's.
_base_ = [
    '../_base_/models/repflow_lite0.py', '../_base_/datasets/weizmann.py',
    '../_base_/pipelines/repflow_weizmann.py',
    '../_base_/schedules/lite0_40e.py', '../_base_/default_runtime.py'
]

default_hooks = dict(checkpoint=dict(interval=20, save_best=None))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
