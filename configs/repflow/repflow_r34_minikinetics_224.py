# Table 8, "ours": frames of 224 x 224. The paper says no more; network, layer, learning
# and frames are those of its other rows on Mini-Kinetics.
_base_ = '../repflow_r34_minikinetics.py'

train_dataloader = dict(
    dataset=dict(pipeline=_base_.repflow_16_train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.repflow_16_val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.repflow_16_test_pipeline))
test_pipeline = _base_.repflow_16_test_pipeline
