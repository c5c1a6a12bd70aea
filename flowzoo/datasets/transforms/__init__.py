"""Transforms for mmaction2's data pipelines."""

from .features import PackFeatures
from .flow import FormatFlow, LoadFlowPair, LoadMotionShapesFlow, WithFlow
from .loading import DecodeFrames, OpenVideo, VideoError

__all__ = [
    "DecodeFrames",
    "FormatFlow",
    "LoadFlowPair",
    "LoadMotionShapesFlow",
    "OpenVideo",
    "PackFeatures",
    "VideoError",
    "WithFlow",
]
