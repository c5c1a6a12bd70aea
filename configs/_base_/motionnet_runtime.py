_base_ = './default_runtime.py'

default_hooks = dict(
    checkpoint=dict(
        by_epoch=False,
        interval=10000,
        save_best='flow/photometric',
        rule='less'),
    visualization=dict(type='FlowVisualizationHook'))
# The authors: training may diverge at the very start.
custom_hooks = [
    dict(type='DivergenceGuardHook'),
    dict(type='UnreadableVideosHook')
]
log_processor = dict(by_epoch=False)
