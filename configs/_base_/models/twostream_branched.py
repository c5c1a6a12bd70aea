# spatial_vgg16.py and hidden2s_branched.py, fused as the released code does with stacks.
_base_ = ['hidden2s_branched.py', 'spatial_stream_vgg16.py']

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=_base_.spatial_stream,
    temporal=_base_.model,
    weights=(1., 1.5),
    score_norm='clamp_l1')
