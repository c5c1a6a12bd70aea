"""Learnable numbers that have to stay positive."""

import torch
from torch import Tensor

from .exporting import exporting


class _LowerBound(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, bound: float) -> Tensor:
        return x.clamp(min=bound)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        x, bound = inputs
        ctx.save_for_backward(x >= bound)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        # a descent step against a negative gradient raises x: let it come back
        return torch.where(inside | (grad < 0), grad, torch.zeros_like(grad)), None


def lower_bound(x: Tensor, bound: float) -> Tensor:
    """max(x, bound), elementwise, from below which x can be trained back.

    The gradient passes where x >= bound, and below it where descent raises x; a clamp's
    would be zero there for ever (Ballé et al., "Variational image compression with a
    scale hyperprior", section 6.1, use the same).
    """
    if exporting():  # only the value matters there; TorchScript takes no Function
        return x.clamp(min=bound)
    return _LowerBound.apply(x, bound)
