"""Transforms for mmaction2's data pipelines."""

from .cropping import MotionCrop
from .features import FlowAsFrames, PackFeatures
from .flow import FormatFlow, LoadFlowPair, LoadMotionShapesFlow, TransformWithFlow
from .loading import DecodeFrames, OpenVideo, VideoError
from .tvl1 import TVL1Flow

__all__ = [
    "DecodeFrames",
    "FlowAsFrames",
    "FormatFlow",
    "LoadFlowPair",
    "LoadMotionShapesFlow",
    "MotionCrop",
    "OpenVideo",
    "PackFeatures",
    "TVL1Flow",
    "TransformWithFlow",
    "VideoError",
]
