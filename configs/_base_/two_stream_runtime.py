# Training is counted in iterations. It may diverge at the very start, as the authors of
# hidden two-stream networks write.
_base_ = './default_runtime.py'

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=500 * 16))
custom_hooks = [
    dict(type='CheckNumClassesHook'),
    dict(type='DivergenceGuardHook'),
    dict(type='UnreadableVideosHook')
]
log_processor = dict(by_epoch=False)
