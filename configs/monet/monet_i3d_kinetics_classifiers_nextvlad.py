# NeXtVLAD instead of linear classifiers.
_base_ = 'monet_i3d_kinetics_classifiers.py'

head = dict(
    _delete_=True,
    type='NeXtVLADHead',
    num_classes=400,
    in_channels=1024,
    num_clusters=64)
model = dict(appearance_head=head, flow_head=head)
