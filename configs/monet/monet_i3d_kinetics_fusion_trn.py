# TRN instead of linear classifiers, on the MoNet that was trained with those.
_base_ = 'monet_i3d_kinetics_fusion.py'

head = dict(
    _delete_=True,
    type='TRNSequenceHead',
    num_classes=400,
    in_channels=1024,
    num_segments=8)
model = dict(
    appearance_head=head,
    flow_head=head,
    neck=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/monet_i3d_kinetics/epoch_40.pth',
            prefix='neck.')))
load_from = 'work_dirs/monet_i3d_kinetics_classifiers_trn/epoch_20.pth'
