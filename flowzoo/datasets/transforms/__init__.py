"""Transforms for mmaction2's data pipelines."""

from .loading import DecodeFrames, OpenVideo, VideoError

__all__ = ["DecodeFrames", "OpenVideo", "VideoError"]
