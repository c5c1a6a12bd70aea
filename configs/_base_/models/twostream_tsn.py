# spatial_tsn.py and hidden2s_tsn.py, fused as the released code does VGG-16's streams.
_base_ = ['hidden2s_tsn.py', 'spatial_stream_tsn.py']

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=_base_.spatial_stream,
    temporal=_base_.model,
    weights=(1., 1.5),
    score_norm='clamp_l1')
