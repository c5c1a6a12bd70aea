"""Datasets and transforms, registered with mmaction2."""

from . import transforms
from .features import FeatureDataset
from .flow_pairs import FlowPairDataset
from .video import CheckedVideoDataset, MotionShapesDataset
from .youtube8m import YouTube8MDataset

__all__ = [
    "CheckedVideoDataset",
    "FeatureDataset",
    "FlowPairDataset",
    "MotionShapesDataset",
    "YouTube8MDataset",
    "transforms",
]
