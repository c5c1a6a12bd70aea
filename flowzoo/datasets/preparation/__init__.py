"""Preparation of benchmark datasets from their official files."""

from .prepare import DATASETS, prepare
from .records import PreparationError
from .report import format_report

__all__ = [
    "DATASETS",
    "PreparationError",
    "format_report",
    "prepare",
]
