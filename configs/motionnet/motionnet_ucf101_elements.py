# Our recommendation: the Charbonnier terms divided by the number of their elements,
# which trains better in docs/motionnet.md's comparison, instead of as published.
_base_ = '../motionnet_ucf101.py'

model = dict(loss=dict(normalization='elements'))
