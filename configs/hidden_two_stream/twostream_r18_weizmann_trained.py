# The scores of repflow_r18_weizmann_rgb.py and hidden2s_r18_weizmann.py, averaged;
# tools/zoo/merge_streams.py merges the checkpoints.
_base_ = 'twostream_r18_weizmann_fixed.py'

model = dict(temporal=dict(backbone=dict(train_motion='all')))
