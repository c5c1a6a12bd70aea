"""Weights learned on RGB images for networks that take something else."""

from __future__ import annotations

from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn


def cross_modality(weight: Tensor, in_channels: int) -> Tensor:
    """Weights of a first convolution for ``in_channels`` from those for RGB.

    The mean over the three colors, once for each channel (Wang et al., "Temporal
    Segment Networks", section 3.2).

    Args:
        weight: (O, 3, ...).

    Returns:
        (O, in_channels, ...).
    """
    mean = weight.mean(1, keepdim=True)
    return mean.repeat(1, in_channels, *(1,) * (weight.ndim - 2))


def load_first_conv(model: nn.Module, checkpoint: str) -> None:
    """Fill a network's first convolution from a checkpoint of the network for RGB.

    For what loaders leave out because the shape differs: the convolution's input
    channels, and time, where a network for images initializes one for volumes (its
    weights are shared out evenly among the time steps).

    Args:
        model: its first convolution is the first in the order of ``modules()``.
        checkpoint: a path, URL or ``torchvision://NAME``. Names do not matter. A
            checkpoint whose first convolution has the model's shape changes nothing.

    Raises:
        ValueError: the model has no convolution, or the checkpoint no first layer that
            fits.
    """
    convs = (m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Conv3d))
    conv = next(convs, None)
    if conv is None:
        raise ValueError(f"{type(model).__name__} has no convolution")
    state = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    weights = state.get("state_dict", state).values()
    shape = tuple(conv.weight.shape)
    if any(tuple(w.shape) == shape for w in weights):
        return
    out, channels, *kernel = shape
    for weight in weights:
        if weight.shape[:2] != (out, 3) or list(weight.shape[-2:]) != kernel[-2:]:
            continue
        filters = cross_modality(weight.float(), channels)
        if filters.ndim < len(shape):  # from images to volumes
            filters = filters.unsqueeze(2).expand(shape) / kernel[0]
        if tuple(filters.shape) == shape:
            conv.weight.data.copy_(filters)
            return
    raise ValueError(
        f"{checkpoint} has no first convolution for RGB images that fits {shape}, the "
        f"first of {type(model).__name__}; is it of the same network?"
    )
