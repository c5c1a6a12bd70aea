"""Metrics that mmaction2 lacks, registered with it."""

from .flow_metrics import FlowMetric
from .mean_average_precision import UntrimmedMAP
from .youtube8m_metrics import YouTube8MMetric

__all__ = ["FlowMetric", "UntrimmedMAP", "YouTube8MMetric"]
