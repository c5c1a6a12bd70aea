# spatial_vgg16.py and hidden2s_vgg16.py, fused as the released code does.
_base_ = ['hidden2s_vgg16.py', 'spatial_stream_vgg16.py']

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=_base_.spatial_stream,
    temporal=_base_.model,
    weights=(1., 1.5),
    score_norm='clamp_l1')
