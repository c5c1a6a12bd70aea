"""Sequences of features (N, T, D) with a mask (N, T) of their valid steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def check_sequence(
    module: nn.Module, x: Tensor, mask: Tensor | None, channels: int
) -> None:
    """Raise for what is not a sequence of ``channels`` features with its mask.

    Raises:
        ValueError: A wrong shape; the message names the module.
    """
    name = type(module).__name__
    if x.ndim != 3 or x.shape[2] != channels or not x.shape[1]:
        raise ValueError(
            f"{name} takes features (N, T, {channels}) with T >= 1, got "
            f"{tuple(x.shape)}"
        )
    if mask is not None and (mask.shape != x.shape[:2] or mask.dtype != torch.bool):
        raise ValueError(
            f"{name} takes a mask {tuple(x.shape[:2])} of bool for features "
            f"{tuple(x.shape)}, got {tuple(mask.shape)} of {mask.dtype}"
        )


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """Zero (N, T, D) where the mask (N, T) is False."""
    return x if mask is None else x.masked_fill(~mask[..., None], 0)


def mean_over_steps(x: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of (N, T, D) over the valid steps: (N, D)."""
    if mask is None:
        return x.mean(1)
    return zero_padding(x, mask).sum(1) / mask.sum(1, keepdim=True)


def lengths_of(x: Tensor, mask: Tensor | None) -> Tensor:
    """Number of valid steps of each sequence: (N,) int64."""
    if mask is None:
        return torch.full((len(x),), x.shape[1], device=x.device)
    return mask.sum(1)
