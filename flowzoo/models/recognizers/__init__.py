"""Recognizers and recognizer-level models, registered with mmaction2."""

from .motion_estimator import MotionEstimator, flow_in_pixels

__all__ = ["MotionEstimator", "flow_in_pixels"]
