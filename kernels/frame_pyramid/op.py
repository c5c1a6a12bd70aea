"""Normalized and reduced frames: argument checks, the operator, the function.

Frames need no gradient here, so there is none.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .._common import checks, operators
from .._common.exporting import not_scriptable
from .._common.precision import compute_dtype
from .reference import all_channels_near, frame_pyramid_reference

# What a Triton program's registers hold: sums of two rows of each size.
_MAX_SIZES = 8
_MAX_CHANNELS = 4


def _check(
    frames: Tensor,
    sizes: Sequence[tuple[int, int]],
    lrn_size: int,
    lrn_alpha: float,
    lrn_beta: float,
) -> None:
    checks.check_maps("frames", frames, "(N, C, T, H, W)")
    if frames.shape[1] < 1 or min(frames.shape[3:]) < 1:
        raise ValueError(
            f"frames have shape {tuple(frames.shape)}; at least one channel and one "
            f"pixel is needed"
        )
    if operators.needs_derivative(frames):
        raise ValueError(
            "frames requires grad, but it is flow that the losses are differentiable "
            "in; use frames.detach()"
        )
    h, w = frames.shape[3:]
    if not sizes:
        raise ValueError("no sizes to reduce the frames to; at least one is needed")
    for size in sizes:
        for side in size:
            checks.check_integer("sizes", side)
        if not (1 <= size[0] <= h and 1 <= size[1] <= w):
            raise ValueError(
                f"frames have {(h, w)} pixels, which cannot be reduced to "
                f"{tuple(size)}; flow may not be larger than the frames"
            )
    checks.check_positive_int("lrn_size", lrn_size, "channel")
    checks.check_finite_number("lrn_alpha", lrn_alpha)
    checks.check_finite_number("lrn_beta", lrn_beta)
    if lrn_alpha < 0:
        raise ValueError(f"lrn_alpha={lrn_alpha}, but it must not be negative")


@torch.library.custom_op(
    "flowzoo::frame_pyramid",
    mutates_args=(),
    schema="(Tensor frames, SymInt[] heights, SymInt[] widths, SymInt lrn_size, "
    "float lrn_alpha, float lrn_beta, str backend) -> Tensor",
)
def _forward(frames, heights, widths, lrn_size, lrn_alpha, lrn_beta, backend):
    """(N, T C, h, w) of all sizes, one after another, flat."""
    sizes = tuple(zip(heights, widths, strict=True))
    if backend == "triton":  # imported when first used: Numba and Triton take long
        from . import gpu

        return gpu.forward(frames, sizes, lrn_size, lrn_alpha, lrn_beta)
    from . import cpu

    return cpu.forward(frames, sizes, lrn_size, lrn_alpha, lrn_beta)


@_forward.register_fake
def _(frames, heights, widths, *options):
    n, channels, t, _, _ = frames.shape
    elements = (
        n * channels * t * sum(h * w for h, w in zip(heights, widths, strict=True))
    )
    return frames.new_empty(elements, dtype=compute_dtype(frames))


@_forward.register_vmap
def _(info, in_dims, *args):
    return torch.stack(operators.vmap_loop(_forward, info, in_dims, args)), 0


@not_scriptable
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
    the corners' centers where they are. See ``reference.py``.

    Args:
        frames: (N, C, T, H, W), any strides and floating type. Not differentiable.
        sizes: (h, w) of each result, at most (H, W).
        lrn_size, lrn_alpha, lrn_beta: of the local response normalization; a channel's
            neighbors are the lrn_size channels around it.
        backend: 'auto' (by the device), 'triton' (for 4 channels and 8 sizes at most,
            all channels neighbors, not for float64), 'cpu' or 'reference'.

    Returns:
        For each size (N, T C, h, w), frame after frame along the channels; float32
        (float64 for frames in float64).

    Raises:
        ValueError: frames that are not (N, C, T, H, W), that have no pixels or that
            require grad, no sizes, sizes larger than the frames, constants out of
            range, an unknown backend.
        TypeError: frames that are not floating point, sizes that are not whole.
        NotImplementedError: a backend that does not offer the type or the channels.
        RuntimeError: a backend whose package is not installed.
    """
    _check(frames, sizes, lrn_size, lrn_alpha, lrn_beta)
    sizes = [(int(h), int(w)) for h, w in sizes]
    n, channels, t, _, w = frames.shape
    excluded = {}
    if frames.dtype == torch.float64:
        excluded["triton"] = "float64"
    elif channels > _MAX_CHANNELS or not all_channels_near(channels, lrn_size):
        excluded["triton"] = (
            f"{channels} channels with lrn_size={lrn_size}, but at most "
            f"{_MAX_CHANNELS}, all of them neighbors"
        )
    elif len(sizes) > _MAX_SIZES:
        excluded["triton"] = f"{len(sizes)} sizes, but at most {_MAX_SIZES}"
    elif channels * w * sum(h for h, _ in sizes) >= 1 << 31:
        excluded["triton"] = "frames of 2^31 pixels or more"
    backend = checks.resolve_backend(backend, frames.device, excluded)
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
