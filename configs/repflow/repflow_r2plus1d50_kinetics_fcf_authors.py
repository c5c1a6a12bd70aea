# What the authors' public code trains, flow-conv-flow in a (2+1)D ResNet-50 on 16 frames of
# 112 x 112, from scratch, 24 clips in all on 8 GPUs. Their rate falls with the validation
# loss, here with the accuracy. tools/zoo/convert.py repflow converts weights of theirs.
_base_ = [
    '../_base_/models/repflow_fcf_authors.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/repflow_16x112.py',
    '../_base_/schedules/repflow_authors_60e.py',
    '../_base_/default_runtime.py'
]

train_dataloader = dict(batch_size=3, dataset=_base_.train_data)
# One by one, as features are normalized over a batch
val_dataloader = dict(batch_size=1, dataset=_base_.val_data)
test_dataloader = dict(batch_size=1, dataset=_base_.test_data)
