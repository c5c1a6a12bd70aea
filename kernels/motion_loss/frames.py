"""Frames as the losses compare them: normalised across channels, then reduced."""

import torch
import torch.nn.functional as F
from torch import Tensor


def local_response_norm(
    frames: Tensor, size: int = 9, alpha: float = 1.0, beta: float = 0.7
) -> Tensor:
    """Divide by (1 + alpha / size * sum of squares over nearby channels) ** beta.

    frames: (N, C, ...); a channel's neighbours are the ``size`` channels around it.
    """
    channels = frames.shape[1]
    if channels > size // 2 + 1:
        return F.local_response_norm(frames, size, alpha, beta, k=1.0)
    squares = frames.square().sum(1, keepdim=True)  # every channel is near
    return frames * (1 + alpha / size * squares).pow(-beta)


def _triangle(size: int, reduced: int, like: Tensor) -> Tensor:
    """Weights of the pixels in the reduced ones, (reduced, size), rows of sum 1."""
    step = (size - 1) / max(reduced - 1, 1)
    first = 0.0 if reduced > 1 else (size - 1) / 2
    centres = first + step * torch.arange(reduced, dtype=torch.float64)
    distance = (torch.arange(size) - centres.unsqueeze(1)).abs()
    weights = (1 - distance / max(step, 1.0)).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True)).to(like)


def reduce_frames(frames: Tensor, h: int, w: int) -> Tensor:
    """Reduce (..., H, W) to (..., h, w) by triangle-weighted averages.

    The outermost pixels' centres stay where they are (align corners); a triangle
    reaches to the centres of its neighbours. It is FlowNet's downsampling layer, which
    the authors use; for h or w of 1, where theirs divides by 0, the triangle lies in
    the middle.

    Raises:
        ValueError: h > H or w > W.
    """
    if h > frames.shape[-2] or w > frames.shape[-1]:
        raise ValueError(
            f"frames have {tuple(frames.shape[-2:])} pixels, which cannot be reduced "
            f"to {(h, w)}; flow may not be larger than the frames"
        )
    if (h, w) == tuple(frames.shape[-2:]):
        return frames
    rows = _triangle(frames.shape[-2], h, frames)
    columns = _triangle(frames.shape[-1], w, frames)
    return rows @ (frames @ columns.T)
