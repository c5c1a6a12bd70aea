_base_ = '../monet_inception_youtube8m.py'

head = dict(
    _delete_=True,
    type='NeXtVLADHead',
    num_classes=3862,
    in_channels=1024,
    num_clusters=64,
    multi_class=True)
model = dict(appearance_head=head, flow_head=head)
