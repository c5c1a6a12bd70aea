"""Data sets and transforms, registered with mmaction2."""

from . import transforms
from .flow_pairs import FlowPairDataset
from .video import CheckedVideoDataset, MotionShapesDataset

__all__ = [
    "CheckedVideoDataset",
    "FlowPairDataset",
    "MotionShapesDataset",
    "transforms",
]
