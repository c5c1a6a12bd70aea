# Minutes of training on a laptop's CPU.
_base_ = [
    '_base_/models/repflow_r18.py', '_base_/datasets/motionshapes.py',
    '_base_/pipelines/repflow_motionshapes.py',
    '_base_/schedules/motionshapes_12e.py', '_base_/default_runtime.py'
]

train_dataloader = dict(dataset=_base_.train_data)
val_dataloader = dict(dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
