"""Metrics that mmaction2 lacks, registered with it."""

from .mean_average_precision import UntrimmedMAP

__all__ = ["UntrimmedMAP"]
