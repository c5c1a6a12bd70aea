# Leaving one sequence out: SPLIT=3 python tools/train.py ... The clips are small, hence
# the flow before layer1, on maps of 16x16, as layer2's are at the paper's 112x112.
_base_ = [
    '_base_/models/repflow_r18.py', '_base_/datasets/ut_interaction.py',
    '_base_/pipelines/repflow_utinteraction.py',
    '_base_/schedules/adamw_120e.py', '_base_/default_runtime.py'
]

model = dict(
    backbone=dict(flow_after='stem', flow_cfg=dict(bottleneck_channels=32)),
    cls_head=dict(num_classes=6, label_smooth_eps=0.1))

# what benchmarks/comparison.py found
optim_wrapper = dict(optimizer=dict(lr=3e-4))

# There are no clips to validate on but the test split's, so that the network is the last
# epoch's, not the best one's.
default_hooks = dict(checkpoint=dict(interval=20, save_best=None))

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
