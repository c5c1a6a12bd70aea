# Leaving one actor out: SPLIT=3 python tools/train.py ...
_base_ = [
    '_base_/models/repflow_r18.py', '_base_/datasets/weizmann.py',
    '_base_/pipelines/repflow_weizmann.py',
    '_base_/schedules/adamw_120e.py', '_base_/default_runtime.py'
]

model = dict(cls_head=dict(num_classes=10, label_smooth_eps=0.1))

# There are no clips to validate on but the test split's, so that the network is the last
# epoch's, not the best one's.
default_hooks = dict(checkpoint=dict(interval=20, save_best=None))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
