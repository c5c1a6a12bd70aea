# NetVLAD instead of linear classifiers.
_base_ = 'monet_i3d_kinetics_classifiers.py'

head = dict(
    _delete_=True,
    type='NetVLADHead',
    num_classes=400,
    in_channels=1024,
    num_clusters=32,
    hidden_channels=512)
model = dict(appearance_head=head, flow_head=head)
