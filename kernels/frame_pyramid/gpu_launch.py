"""Launch the Triton kernels of the frames: the same face as cpu.py."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._common.launch import device_guard
from . import gpu
from .tables import gather, scatter

COLUMNS = 32  # of a program that normalizes, one for a thread
BLOCK = 128  # pixels of a program that reduces along x


class _Tables(NamedTuple):
    """What the kernels read, on their device."""

    lower: Tensor
    shares: Tensor
    integers: Tensor
    first: Tensor
    weights: Tensor
    rows: int  # of all sizes
    programs: int  # of the second kernel


@lru_cache(maxsize=32)
def _device_tables(
    h: int, w: int, sizes: tuple[tuple[int, int], ...], planes: int, device: str
) -> _Tables:
    count = 1 << (len(sizes) - 1).bit_length()
    lower = np.zeros((h, count), np.int32)
    shares = np.zeros((h, 2, count), np.float32)
    integers, first, weights = [], [], []
    programs = rows = place = columns = taps = 0
    for i, (height, width) in enumerate(sizes):
        down, across = scatter(h, height), gather(w, width)
        lower[:, i], shares[:, :, i] = down.lower, down.weights.T
        first.append(np.stack([across.first, across.count], 1))
        weights.append(across.weights.ravel())
        most = across.weights.shape[1]
        integers.append((programs, height, width, rows, place, columns, taps, most))
        programs += -(-planes * height * width // BLOCK)
        rows += height
        place += planes * height * width
        columns += width
        taps += width * most
    arrays = (
        lower,
        shares,
        np.array(integers, np.int64),
        np.concatenate(first).astype(np.int32),
        np.concatenate(weights).astype(np.float32),
    )
    return _Tables(*(torch.from_numpy(a).to(device) for a in arrays), rows, programs)


def forward(
    frames: Tensor,
    sizes: tuple[tuple[int, int], ...],
    lrn_size: int,
    lrn_alpha: float,
    lrn_beta: float,
) -> Tensor:
    """All sizes, one after another, flat."""
    n, channels, t, h, w = frames.shape
    planes = n * t * channels
    elements = sum(planes * height * width for height, width in sizes)
    out = frames.new_empty(elements, dtype=torch.float32)
    if elements == 0:
        return out
    tables = _device_tables(h, w, sizes, planes, str(frames.device))
    tall = frames.new_empty(planes * tables.rows * w, dtype=torch.float32)
    with device_guard(frames):
        gpu.rows_kernel[(n * t * -(-w // COLUMNS),)](
            frames,
            tables.lower,
            tables.shares,
            tables.integers,
            tall,
            *frames.stride(),
            len(sizes),
            channels,
            t,
            h,
            w,
            tables.rows,
            lrn_alpha / lrn_size,
            -lrn_beta,
            SIZES=tables.lower.shape[1],
            CHANNELS=1 << (channels - 1).bit_length(),
            COLUMNS=COLUMNS,
            num_warps=1,
        )
        gpu.columns_kernel[(tables.programs,)](
            tall,
            tables.first,
            tables.weights,
            tables.integers,
            out,
            len(sizes),
            planes,
            w,
            tables.rows,
            BLOCK=BLOCK,
        )
    return out
