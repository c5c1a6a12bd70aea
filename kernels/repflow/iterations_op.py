"""The iterations of ``tvl1`` alone, between given states: for TVNet, not public.

Representation flow is linearized at u = 0 and begins with p = 0. A warp of TVNet is
linearized at the flow so far, and begins with that flow and with the p so far.
"""

import math

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .._common import checks, operators
from .._common.exporting import exporting
from .reference import iterate

_SCHEMA = (
    "Tensor state, Tensor linearized, Tensor flow_kernel, Tensor div_kernel, "
    "Tensor theta, Tensor lam, Tensor tau, int n_iters, str backend"
)
_GRADIENTS = ", ".join(["Tensor"] * 7)


@torch.library.custom_op(
    "flowzoo::tvl1_iterations", mutates_args=(), schema=f"({_SCHEMA}) -> Tensor"
)
def _forward(state, linearized, *arguments):
    *arguments, _ = arguments
    from .cpu import iterations  # imported when first used: Numba takes long

    return iterations.forward(state.contiguous(), linearized.contiguous(), *arguments)


@_forward.register_fake
def _(state, *arguments):
    return state.new_empty(state.shape)


@torch.library.custom_op(
    "flowzoo::tvl1_iterations_backward",
    mutates_args=(),
    schema=f"(Tensor grad, {_SCHEMA}, bool[] needs) -> ({_GRADIENTS})",
)
def _backward(grad, state, linearized, *arguments):
    *arguments, _, needs = arguments
    from .cpu import iterations

    fields = (t.contiguous() for t in (grad, state, linearized))
    state_grad, *grads = iterations.backward(*fields, *arguments, needs)
    # The divergence takes p as 0 there.
    state_grad[2::2, :, :, -1] = 0
    state_grad[3::2, :, -1] = 0
    return state_grad, *grads


@_backward.register_fake
def _(grad, state, linearized, *arguments):
    parameters = zip(arguments[:5], arguments[-1][2:], strict=True)
    grads = [p.new_empty(p.shape if need else 0) for p, need in parameters]
    return state.new_empty(state.shape), linearized.new_empty(linearized.shape), *grads


_function = operators.differentiable("tvl1_iterations", _forward, _backward, tensors=7)


@_forward.register_vmap
def _(info, in_dims, *args):
    return torch.stack(operators.vmap_loop(_forward, info, in_dims, args)), 0


@_backward.register_vmap
def _(info, in_dims, *args):
    results = operators.vmap_loop(_backward, info, in_dims, args)
    return tuple(torch.stack(r) for r in zip(*results, strict=True)), (0,) * 7


def tvl1_iterations(
    state: Tensor,
    linearized: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
    backend: str = "auto",
) -> Tensor:
    """The state after ``n_iters`` iterations of each of P maps; differentiable.

    Args:
        state: (6, P, H, W), u1, u2, p11, p12, p21, p22. p11 and p21 are 0 in the last
            column, p12 and p22 in the last row, as they are after iterations from 0.
        linearized: (3, P, H, W), rho_c, gx and gy: the residual is rho_c + gx u1 +
            gy u2. float32 or float64, as the state.
        flow_kernel, div_kernel: (1, 2, 2), of representation flow's variant ``tvl1``.
        theta, lam, tau: one number each.
        backend: 'auto' (by the device), 'cpu' or 'reference'.
    """
    excluded = {"triton": "iterations between given states"}
    backend = checks.resolve_backend(backend, state.device, excluded)
    tensors = state, linearized, flow_kernel, div_kernel, theta, lam, tau
    if backend == "reference":
        return _reference(*tensors, n_iters)
    if operators.needs_function("tvl1_iterations", tensors):
        return _function(*tensors, n_iters, backend)
    return _forward(*tensors, n_iters, backend)


def _reference(
    state: Tensor,
    linearized: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
) -> Tensor:
    """The iterations in eager PyTorch; states are kept about every sqrt(n_iters)."""
    # As (N, C, T, H, W), each of one channel and pair.
    fields = state[:, :, None, None].unbind()
    u, p, coeffs = fields[:2], fields[2:], linearized[:, :, None, None].unbind()
    gx, gy = coeffs[1:]
    kernels = [k.to(state.dtype) for k in (flow_kernel, div_kernel)]
    scalars = [s.to(state.dtype).reshape(()) for s in (theta, lam, tau)]
    chunk = math.isqrt(n_iters - 1) + 1
    for done in range(0, n_iters, chunk):
        count = min(chunk, n_iters - done)
        arguments = u, p, (gx, gy, coeffs[0]), kernels, scalars, count, "tvl1"
        if torch.is_grad_enabled() and not exporting():
            u, p = checkpoint(iterate, *arguments, use_reentrant=False)
        else:
            u, p = iterate(*arguments)
    return torch.stack([*u, *p])[:, :, 0, 0]
