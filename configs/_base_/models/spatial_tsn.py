_base_ = 'spatial_stream_tsn.py'

model = dict(
    _base_.spatial_stream,
    backbone=dict(
        type='BNInception',
        partial_bn=True,
        pretrained='https://data.lip6.fr/cadene/pretrainedmodels/'
        'bn_inception-52deb4733.pth'),
    cls_head=dict(_base_.spatial_stream.cls_head, dropout_ratio=0.8))
