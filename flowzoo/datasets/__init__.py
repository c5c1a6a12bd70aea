"""Datasets and transforms, registered with mmaction2."""

from . import transforms
from .features import FeatureDataset
from .flow_pairs import FlowPairDataset
from .motionshapes.dataset import MotionShapesDataset
from .motionshapes.scene_dataset import MotionScenesDataset
from .video import CheckedVideoDataset
from .youtube8m import YouTube8MDataset

__all__ = [
    "CheckedVideoDataset",
    "FeatureDataset",
    "FlowPairDataset",
    "MotionScenesDataset",
    "MotionShapesDataset",
    "YouTube8MDataset",
    "transforms",
]
