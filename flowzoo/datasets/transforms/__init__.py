"""Transforms for mmaction2's data pipelines."""

from .features import FlowAsFrames, PackFeatures
from .flow import FormatFlow, LoadFlowPair, LoadMotionShapesFlow, WithFlow
from .loading import DecodeFrames, OpenVideo, VideoError

__all__ = [
    "DecodeFrames",
    "FlowAsFrames",
    "FormatFlow",
    "LoadFlowPair",
    "LoadMotionShapesFlow",
    "OpenVideo",
    "PackFeatures",
    "VideoError",
    "WithFlow",
]
