"""The precision in which operators compute."""

import contextlib

import numpy as np
import torch
from torch import Tensor


def compute_dtype(*tensors: Tensor) -> torch.dtype:
    """float64 if one of the tensors is, float32 for all other types."""
    wide = any(tensor.dtype == torch.float64 for tensor in tensors)
    return torch.float64 if wide else torch.float32


def numpy_type(dtype: torch.dtype) -> type:
    """The same as a NumPy scalar type."""
    return np.float64 if dtype == torch.float64 else np.float32


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """Leaves autocast, which the device 'meta' does not have."""
    if device.type == "meta":
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)
