_base_ = 'spatial_stream_vgg16.py'

model = dict(
    _base_.spatial_stream,
    backbone=dict(
        type='VGG16', dropout_ratio=0.9, pretrained='torchvision://vgg16'),
    cls_head=dict(_base_.spatial_stream.cls_head, dropout_ratio=0.9))
