"""Inputs and checks shared by the tests of the motion losses."""

import torch
from torch import Tensor

from flowzoo_kernels import motion_loss
from helpers.repflow_cases import assert_as_exact_as_eager

SCALE = 4.0  # a power of two, so that the flow in pixels is exact
TERMS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0.01))  # each alone, all together
SHAPES = [  # N, pairs, channels, H, W
    (2, 3, 3, 16, 24),
    (1, 2, 3, 13, 19),
    (2, 1, 1, 9, 8),
    (1, 1, 2, 1, 1),
    (1, 2, 1, 1, 11),
    (1, 1, 3, 23, 1),
    (1, 1, 1, 70, 5),
]


def make_inputs(
    shape: tuple[int, ...], dtype: torch.dtype = torch.float32, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Target, source, flow, off the kinks of the warp and the Charbonnier functions.

    Frames differ by 0.5 or more everywhere; flow in pixels has a fraction in [0.125,
    0.875] and differences that are 0 or 1/16 or more.
    """
    n, pairs, channels, h, w = shape
    g = torch.Generator().manual_seed(seed)

    def rand(*size: int) -> Tensor:
        return torch.rand(*size, generator=g, dtype=torch.float64)

    whole = (6 * rand(n, 2 * pairs, h, w) - 3).round()
    fraction = (rand(n, 2 * pairs, h, w) * 12).floor() / 16 + 0.125
    target = 0.5 + 0.5 * rand(n, pairs * channels, h, w)
    source = -rand(n, pairs * channels, h, w)
    flow = (whole + fraction) / SCALE
    return target.to(dtype), source.to(dtype), flow.to(dtype)


def run_loss(
    inputs: tuple[Tensor, ...], dtype: torch.dtype | None = None, **options
) -> dict[str, Tensor]:
    """Loss, parts and the gradient of flow; in dtype where given."""
    target, source, flow = (t.detach().to(dtype or t.dtype) for t in inputs)
    flow.requires_grad_()
    options = {"flow_scale": SCALE} | options
    loss, parts = motion_loss(target, source, flow, **options)
    (grad,) = torch.autograd.grad(3 * loss, flow)
    return {"loss": loss.detach(), **parts, "flow": grad}


def check_loss(
    inputs: tuple[Tensor, ...], backend: str, terms: tuple = TERMS, **options
) -> None:
    """A backend against the reference by the rule, for several weights of the terms."""
    for weights in terms:
        options["weights"] = weights
        result = run_loss(inputs, backend=backend, **options)
        eager = run_loss(inputs, backend="reference", **options)
        exact = run_loss(inputs, torch.float64, backend="reference", **options)
        for name, value in result.items():
            assert_as_exact_as_eager(name, value, eager[name], exact[name])
