# Kinetics-400 as two-stream networks read it.
_base_ = ['./two_stream_videos.py', './kinetics400_files.py']

num_classes = 400
train_dataloader = dict(
    dataset=dict(num_classes=num_classes, **_base_.kinetics400_train))
val_dataloader = dict(
    dataset=dict(num_classes=num_classes, **_base_.kinetics400_val))
test_dataloader = dict(
    dataset=dict(num_classes=num_classes, **_base_.kinetics400_val))
