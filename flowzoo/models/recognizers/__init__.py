"""Recognizers and recognizer-level models, registered with mmaction2."""

from .feature_preprocessor import FeatureDataPreprocessor
from .feature_two_stream import FeatureTwoStream
from .hallucinated_two_stream import HallucinatedTwoStream, feature_sequence
from .motion_estimator import MotionEstimator, flow_in_pixels
from .repflow_recognizer import RepFlowRecognizer2D
from .two_stream import TwoStreamRecognizer

__all__ = [
    "FeatureDataPreprocessor",
    "FeatureTwoStream",
    "HallucinatedTwoStream",
    "MotionEstimator",
    "RepFlowRecognizer2D",
    "TwoStreamRecognizer",
    "feature_sequence",
    "flow_in_pixels",
]
