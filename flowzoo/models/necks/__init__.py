"""Necks, registered with mmaction2."""

from .monet import MoNet
from .motion_loss_neck import MotionLossNeck
from .repflow_neck import RepFlowNeck
from .sequence_baselines import SequenceConv, SequenceMLP, SequenceRNN

__all__ = [
    "MoNet",
    "MotionLossNeck",
    "RepFlowNeck",
    "SequenceConv",
    "SequenceMLP",
    "SequenceRNN",
]
