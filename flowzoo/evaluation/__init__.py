"""Metrics that mmaction2 lacks, registered with it."""

from .flow_metrics import FlowMetric
from .mean_average_precision import UntrimmedMAP

__all__ = ["FlowMetric", "UntrimmedMAP"]
