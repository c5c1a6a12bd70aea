"""Data sets and transforms, registered with mmaction2."""

from . import transforms
from .video import CheckedVideoDataset, MotionShapesDataset

__all__ = ["CheckedVideoDataset", "MotionShapesDataset", "transforms"]
