# The LSTM of MoNet's table 1, in MoNet's place.
_base_ = '../monet_i3d_kinetics.py'

model = dict(
    neck=dict(
        _delete_=True,
        type='SequenceRNN',
        cell='lstm',
        in_channels=1024,
        out_channels=1024))
