"""Recognizers and recognizer-level models, registered with mmaction2."""

from ..flow_units import flow_in_pixels
from .feature_preprocessor import FeatureDataPreprocessor
from .feature_two_stream import FeatureTwoStream
from .hallucinated_two_stream import HallucinatedTwoStream, feature_sequence
from .motion_estimator import MotionEstimator
from .pyramid_motion_estimator import PyramidMotionEstimator
from .repflow_recognizer import RepFlowRecognizer2D
from .tvl1_preprocessor import TVL1DataPreprocessor
from .two_stream import TwoStreamRecognizer

__all__ = [
    "FeatureDataPreprocessor",
    "FeatureTwoStream",
    "HallucinatedTwoStream",
    "MotionEstimator",
    "PyramidMotionEstimator",
    "RepFlowRecognizer2D",
    "TVL1DataPreprocessor",
    "TwoStreamRecognizer",
    "feature_sequence",
    "flow_in_pixels",
]
