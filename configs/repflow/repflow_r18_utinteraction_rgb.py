# The same network without the layer
_base_ = '../repflow_r18_utinteraction.py'

model = dict(backbone=dict(flow_after=None, flow_cfg=dict(_delete_=True)))

# what benchmarks/comparison.py found
optim_wrapper = dict(optimizer=dict(lr=1e-3))
