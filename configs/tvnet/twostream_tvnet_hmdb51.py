# Table 9: "TVNet (+RGB)". Both streams in one network, for testing and use: train
# tvnet_tsn_hmdb51.py and spatial_tsn_hmdb51.py, then tools/zoo/merge_streams.py.
_base_ = ['tvnet_tsn_hmdb51.py', '../_base_/models/spatial_stream_tsn.py']

model = dict(
    _delete_=True,
    type='TwoStreamRecognizer',
    spatial=dict(
        _base_.spatial_stream,
        cls_head=dict(
            _base_.spatial_stream.cls_head,
            num_classes=_base_.num_classes)),
    temporal=_base_.model,
    weights=(1., 1.5),
    score_norm='clamp_l1')
