_base_ = [
    '_base_/models/motionnet.py', '_base_/datasets/motionshapes_flow.py',
    '_base_/schedules/motionnet_motionshapes.py',
    '_base_/motionnet_runtime.py'
]

default_hooks = dict(
    checkpoint=dict(interval=500, save_best='flow/EPE'))
