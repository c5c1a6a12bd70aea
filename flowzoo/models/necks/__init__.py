"""Necks, registered with mmaction2."""

from .monet import MoNet
from .sequence_baselines import SequenceConv, SequenceMLP, SequenceRNN

__all__ = ["MoNet", "SequenceConv", "SequenceMLP", "SequenceRNN"]
