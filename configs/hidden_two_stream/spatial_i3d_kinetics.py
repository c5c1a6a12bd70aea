# i3d_inception_kinetics.py, trained further on the clips of the temporal stream. The
# schedule is that of TSN.
_base_ = [
    '../_base_/models/i3d_inception.py', '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/two_stream_long_clips.py',
    '../_base_/schedules/spatial_3500.py', '../_base_/two_stream_runtime.py'
]

model = dict(cls_head=dict(num_classes=_base_.num_classes))
load_from = 'work_dirs/i3d_inception_kinetics/iter_110000.pth'

train_dataloader = dict(dataset=dict(_base_.train_data, num_classes=400))
val_dataloader = dict(dataset=dict(_base_.val_data, num_classes=400))
test_dataloader = dict(dataset=dict(_base_.test_data, num_classes=400))
