"""Preparation of benchmark datasets from their official files."""

from .prepare import DATASETS, default_out, prepare
from .records import PreparationError
from .report import format_report

__all__ = [
    "DATASETS",
    "PreparationError",
    "default_out",
    "format_report",
    "prepare",
]
