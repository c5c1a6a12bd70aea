"""Inputs of representation flow for measurements and tests."""

import torch
from torch import Tensor

from flowzoo_kernels.repflow.reference import default_kernels

PARAMETERS = ("image_kernel", "flow_kernel", "div_kernel", "theta", "lam", "tau")


def make_parameters(
    variant: str, channels: int, dtype: torch.dtype = torch.float32, seed: int = 0
) -> dict[str, Tensor]:
    """The variant's parameters, moved off their symmetric start by up to 10 %."""
    g = torch.Generator().manual_seed(seed)
    kernels = default_kernels(variant, channels)
    if variant == "released":  # channels add up: keep the sum of order one
        kernels = tuple(k / channels for k in kernels)
    values = [*kernels, torch.tensor(0.3), torch.tensor(0.15), torch.tensor(0.25)]

    def jitter(v: Tensor) -> Tensor:
        noise = torch.rand(v.shape, generator=g, dtype=torch.float64)
        return (v * (0.95 + 0.1 * noise)).to(dtype)

    return {name: jitter(v) for name, v in zip(PARAMETERS, values, strict=True)}


def make_maps(
    shape: tuple[int, ...], dtype: torch.dtype = torch.float32, seed: int = 0
) -> Tensor:
    """Smooth moving blobs and noise in [0, 255], (N, C, T, H, W).

    Neighboring frames differ little enough that both cases of the clamp occur.
    """
    n, c, t, h, w = shape
    g = torch.Generator().manual_seed(seed)

    def rand(*size: int) -> Tensor:
        return torch.rand(*size, generator=g, dtype=torch.float64)

    phase = 6.3 * rand(n, c, 1, 1, 1)
    speed = 2 * rand(n, c, 1, 1, 1) - 1
    time = torch.arange(t, dtype=torch.float64).view(t, 1, 1)
    y = torch.arange(h, dtype=torch.float64).view(h, 1)
    x = torch.arange(w, dtype=torch.float64)
    waves = torch.sin(0.9 * x - 0.3 * speed * time + phase) + torch.cos(
        0.7 * y + 0.4 * speed * time - phase
    )
    return (127 + 50 * waves + 8 * rand(n, c, t, h, w)).to(dtype)
