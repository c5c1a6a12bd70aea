"""Normalised and reduced frames: argument checks, launches, the operator, the function.

Frames need no gradient here, so there is none.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._common import checks
from .reference import all_channels_near, frame_pyramid_reference, state_dtype
from .tables import gather, scatter

# What a Triton program's registers hold: sums of two rows of each size.
_MAX_SIZES = 8
_MAX_CHANNELS = 4
_COLUMNS = 32  # of a program that normalises, one for a thread
_BLOCK = 128  # pixels of a program that reduces along x


def _check(
    frames: Tensor, sizes: Sequence[tuple[int, int]], lrn_size: int, lrn_alpha: float
) -> None:
    if frames.ndim != 5 or frames.shape[1] < 1 or min(frames.shape[3:]) < 1:
        raise ValueError(
            f"frames have shape {tuple(frames.shape)}; (N, C, T, H, W) with at least "
            f"one channel and one pixel is needed"
        )
    checks.check_floating("frames", frames)
    if frames.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            "frames requires grad, but it is flow that the losses are differentiable "
            "in; use frames.detach()"
        )
    h, w = frames.shape[3:]
    if not sizes:
        raise ValueError("no sizes to reduce the frames to; at least one is needed")
    for size in sizes:
        if not (1 <= size[0] <= h and 1 <= size[1] <= w):
            raise ValueError(
                f"frames have {(h, w)} pixels, which cannot be reduced to "
                f"{tuple(size)}; flow may not be larger than the frames"
            )
    if lrn_size < 1 or not lrn_alpha >= 0:
        raise ValueError(
            f"lrn_size={lrn_size}, lrn_alpha={lrn_alpha}: at least 1 channel and a "
            f"factor that is not negative are needed"
        )


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
        programs += -(-planes * height * width // _BLOCK)
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


def _triton_forward(
    frames: Tensor,
    sizes: tuple[tuple[int, int], ...],
    lrn_size: int,
    lrn_alpha: float,
    lrn_beta: float,
) -> Tensor:
    from . import gpu

    n, channels, t, h, w = frames.shape
    planes = n * t * channels
    elements = sum(planes * height * width for height, width in sizes)
    out = frames.new_empty(elements, dtype=torch.float32)
    if elements == 0:
        return out
    tables = _device_tables(h, w, sizes, planes, str(frames.device))
    tall = frames.new_empty(planes * tables.rows * w, dtype=torch.float32)
    with torch.cuda.device_of(frames):
        gpu.rows_kernel[(n * t * -(-w // _COLUMNS),)](
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
            COLUMNS=_COLUMNS,
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
            BLOCK=_BLOCK,
        )
    return out


@torch.library.custom_op("flowzoo::frame_pyramid", mutates_args=())
def _forward(
    frames: Tensor,
    heights: list[int],
    widths: list[int],
    lrn_size: int,
    lrn_alpha: float,
    lrn_beta: float,
    backend: str,
) -> Tensor:
    """(N, T C, h, w) of all sizes, one after another, flat."""
    sizes = tuple(zip(heights, widths, strict=True))
    lrn = lrn_size, lrn_alpha, lrn_beta
    if backend == "triton":
        return _triton_forward(frames, sizes, *lrn)
    from . import cpu  # Numba takes long to import and is needed on first use only

    return cpu.forward(frames, sizes, *lrn)


@_forward.register_fake
def _(frames, heights, widths, *options):
    n, channels, t, _, _ = frames.shape
    elements = (
        n * channels * t * sum(h * w for h, w in zip(heights, widths, strict=True))
    )
    return frames.new_empty(elements, dtype=state_dtype(frames))


@_forward.register_vmap
def _(info, in_dims, frames, *options):
    examples = frames.movedim(in_dims[0], 0)
    return torch.stack([_forward(example, *options) for example in examples]), 0


def frame_pyramid(
    frames: Tensor,
    sizes: Sequence[tuple[int, int]],
    lrn_size: int = 9,
    lrn_alpha: float = 1.0,
    lrn_beta: float = 0.7,
    backend: str = "auto",
) -> list[Tensor]:
    """Frames as the motion losses compare them, in several sizes.

    A pixel is divided by (1 + lrn_alpha / lrn_size * sum of squares over nearby
    channels) ** lrn_beta; then each size's pixels are triangle-weighted averages, with
    the corners' centres where they are. See ``reference.py``.

    Args:
        frames: (N, C, T, H, W), any strides and floating type. Not differentiable.
        sizes: (h, w) of each result, at most (H, W).
        lrn_size, lrn_alpha, lrn_beta: of the local response normalisation; a channel's
            neighbours are the lrn_size channels around it.
        backend: 'auto' (by the device), 'triton' (for 4 channels and 8 sizes at most,
            all channels neighbours, not for float64), 'cpu' or 'reference'.

    Returns:
        For each size (N, T C, h, w), frame after frame along the channels; float32
        (float64 for frames in float64).

    Raises:
        ValueError: frames that are not (N, C, T, H, W), that have no pixels or that
            require grad, no sizes, sizes larger than the frames, constants out of
            range, an unknown backend.
        TypeError: frames that are not floating point.
        NotImplementedError: a backend that does not offer the type or the channels.
        RuntimeError: a backend whose package is not installed.
    """
    sizes = [(int(h), int(w)) for h, w in sizes]
    _check(frames, sizes, lrn_size, lrn_alpha)
    n, channels, t, _, w = frames.shape
    offered = {"reference", "cpu"}
    if (
        channels <= _MAX_CHANNELS
        and all_channels_near(channels, lrn_size)
        and len(sizes) <= _MAX_SIZES
        and frames.dtype != torch.float64
        and channels * w * sum(h for h, _ in sizes) < 1 << 31
    ):
        offered.add("triton")
    backend = checks.resolve_backend(backend, frames.device, offered)
    lrn = lrn_size, float(lrn_alpha), float(lrn_beta)
    frames = frames.detach()
    if backend == "reference":
        return frame_pyramid_reference(frames, sizes, *lrn)
    heights, widths = ([size[i] for size in sizes] for i in (0, 1))
    flat = _forward(frames, heights, widths, *lrn, backend)
    planes = n * t * channels
    parts = flat.split([planes * h * w for h, w in sizes])
    return [
        part.view(n, t * channels, h, w)
        for part, (h, w) in zip(parts, sizes, strict=True)
    ]
