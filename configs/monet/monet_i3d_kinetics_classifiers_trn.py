# TRN instead of linear classifiers.
_base_ = 'monet_i3d_kinetics_classifiers.py'

head = dict(
    _delete_=True,
    type='TRNSequenceHead',
    num_classes=400,
    in_channels=1024,
    num_segments=8)
model = dict(appearance_head=head, flow_head=head)
