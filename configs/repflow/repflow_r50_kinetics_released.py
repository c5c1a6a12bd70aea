# The network of the authors' released Kinetics weights. After
#     python tools/zoo/convert.py repflow rep_flow.pt repflow_r50_kinetics_released.pth
# the result is a checkpoint of this config. The authors' demonstration gives it RGB
# frames scaled to [-1, 1]. Its classes are in the order of their data/label_map.txt, which
# is mmaction2's. Their repository has no training or test protocol for it: frames, crops
# and schedule below are the paper's. Not tested by us with the released weights.
_base_ = [
    '../_base_/datasets/kinetics400.py',
    '../_base_/pipelines/repflow_32x224.py',
    '../_base_/schedules/repflow_kinetics_200e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    type='Recognizer3D',
    backbone=dict(type='ReleasedRepFlowResNet3d'),
    cls_head=dict(
        type='FrameAverageHead',
        num_classes=400,
        in_channels=2048,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        format_shape='NCTHW'),
    # Views are normalized together: each alone is what the authors did.
    test_cfg=dict(max_testing_views=1))

train_dataloader = dict(dataset=_base_.train_data)
# Validated one by one for the same reason.
val_dataloader = dict(batch_size=1, dataset=_base_.val_data)
test_dataloader = dict(dataset=_base_.test_data)
