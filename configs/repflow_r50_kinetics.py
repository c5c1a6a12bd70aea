_base_ = [
    '_base_/models/repflow_r50.py', '_base_/datasets/kinetics400.py',
    '_base_/schedules/repflow_kinetics_200e.py', '_base_/default_runtime.py'
]
