# The same, learned from TV-L1 flow, which needs no labels either
_base_ = 'tinymotionnet_motionscenes_large.py'

model = dict(
    loss=dict(_delete_=True, type='SupervisedFlowLoss'),
    teacher=dict(preset='fast'))
