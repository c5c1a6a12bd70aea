"""The model zoo: index, flowzoo:// checkpoints, converters of published weights."""

from . import flops
from .download import DownloadError, download
from .index import Checkpoint, Model, find, models
from .load import load
from .url_schemes import load_from_flowzoo, load_from_safetensors

__all__ = [
    "Checkpoint",
    "DownloadError",
    "Model",
    "download",
    "find",
    "flops",
    "load",
    "load_from_flowzoo",
    "load_from_safetensors",
    "models",
]
