"""Tensors whose elements lie more than 2^31 elements apart, without the memory."""

import math

import numpy as np
import torch
from torch import Tensor


def huge_strides(t: Tensor, dim: int) -> Tensor:
    """t, float16, with 2^31 elements or more from first to last along dim.

    The memory between is never touched, so that the system gives none for it.
    """
    steps = t.shape[dim] - 1
    step = math.ceil(2**31 / steps)
    strides = list(t.contiguous().stride())
    strides[dim] = step
    buffer = torch.from_numpy(np.empty(steps * step + t.numel(), np.float16))
    return buffer.as_strided(t.shape, strides).copy_(t)
