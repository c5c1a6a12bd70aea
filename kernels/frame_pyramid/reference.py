"""Frames as the motion losses compare them, in eager PyTorch: the definition.

Normalized across channels, then reduced to each of several sizes. Both are layers of
the hidden two-stream network's released definition (Zhu et al., "Hidden Two-Stream
Convolutional Networks for Action Recognition"): Caffe's local response normalization
and FlowNet's downsampling.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .._common.precision import compute_dtype, without_autocast


def all_channels_near(channels: int, size: int) -> bool:
    """Whether each channel's neighbors are all of them."""
    return channels <= (size + 1) // 2


def local_response_norm(
    frames: Tensor, size: int = 9, alpha: float = 1.0, beta: float = 0.7
) -> Tensor:
    """Divide by (1 + alpha / size * sum of squares over nearby channels) ** beta.

    frames: (N, C, ...); a channel's neighbors are the ``size`` channels around it.
    """
    if not all_channels_near(frames.shape[1], size):
        return F.local_response_norm(frames, size, alpha, beta, k=1.0)
    squares = frames.square().sum(1, keepdim=True)
    return frames * (1 + alpha / size * squares).pow(-beta)


def triangle(size: int, reduced: int) -> tuple[Tensor, float]:
    """Weights of the pixels in the reduced ones, (reduced, size), rows of sum 1.

    And the distance between centers of reduced pixels, at which a triangle ends: at
    least 1 pixel, and all pixels' extent for a single one.
    """
    step = max((size - 1) / max(reduced - 1, 1), 1.0)
    first = 0.0 if reduced > 1 else (size - 1) / 2
    numbers = torch.arange(size, dtype=torch.float64, device="cpu")
    centers = first + step * numbers[:reduced]
    weights = (1 - (numbers - centers.unsqueeze(1)).abs() / step).clamp(min=0)
    return weights / weights.sum(1, keepdim=True), step


def reduce_frames(frames: Tensor, h: int, w: int) -> Tensor:
    """Reduce (..., H, W) to (..., h, w), h <= H, w <= W, by triangle-weighted averages.

    The outermost pixels' centers stay where they are (align corners); a triangle
    reaches to the centers of its neighbors. It is FlowNet's downsampling layer, which
    the authors use; for h or w of 1, where theirs divides by 0, the triangle lies in
    the middle.
    """
    if (h, w) == tuple(frames.shape[-2:]):
        return frames
    rows = triangle(frames.shape[-2], h)[0].to(frames)
    columns = triangle(frames.shape[-1], w)[0].to(frames)
    return rows @ (frames @ columns.T)


def frame_pyramid_reference(
    frames: Tensor,
    sizes: Sequence[tuple[int, int]],
    lrn_size: int,
    lrn_alpha: float,
    lrn_beta: float,
) -> list[Tensor]:
    """See :func:`flowzoo_kernels.frame_pyramid.frame_pyramid`."""
    with without_autocast(frames.device):
        wide = frames.to(compute_dtype(frames))
        normal = local_response_norm(wide, lrn_size, lrn_alpha, lrn_beta)
        # frame after frame along the channels
        normal = normal.transpose(1, 2).flatten(1, 2)
        return [reduce_frames(normal, *size) for size in sizes]
