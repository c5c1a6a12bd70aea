"""Inputs and checks shared by the tests of the warp operator."""

import torch
from torch import Tensor

from flowzoo_kernels import backward_warp
from helpers.repflow_cases import assert_as_exact_as_eager

PADDINGS = ("zeros", "border")


def make_inputs(
    shape: tuple[int, ...],
    dtype: torch.dtype = torch.float32,
    size: float = 3.0,
    seed: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Image, flow and the gradient of the result.

    The flow's fraction lies in [0.125, 0.875], off the kinks, in every type.
    """
    n, _, h, w = shape
    g = torch.Generator().manual_seed(seed)

    def rand(*size: int) -> Tensor:
        return torch.rand(*size, generator=g, dtype=torch.float64)

    whole = ((2 * rand(n, 2, h, w) - 1) * size).round()
    fraction = (rand(n, 2, h, w) * 12).floor() / 16 + 0.125
    image, grad = rand(*shape) - 0.3, rand(*shape) - 0.5
    return image.to(dtype), (whole + fraction).to(dtype), grad.to(dtype)


def run_warp(run, image: Tensor, flow: Tensor, grad: Tensor, dtype=None) -> dict:
    """The result and both gradients of run(image, flow); in dtype where given."""
    image, flow = (
        t.detach().to(dtype or t.dtype).requires_grad_() for t in (image, flow)
    )
    out = run(image, flow)
    grads = torch.autograd.grad(out, [image, flow], grad.to(out.dtype))
    return {"out": out.detach(), "image": grads[0], "flow": grads[1]}


def check_warp(run, inputs: tuple[Tensor, ...], padding: str) -> None:
    """run(image, flow) against the reference by the rule."""

    def reference(image, flow):
        return backward_warp(image, flow, padding, "reference")

    result = run_warp(run, *inputs)
    eager = run_warp(reference, *inputs)
    exact = run_warp(reference, *inputs, dtype=torch.float64)
    for name, value in result.items():
        assert_as_exact_as_eager(name, value, eager[name], exact[name])
