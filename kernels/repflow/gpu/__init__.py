"""Representation flow on GPUs: what the operator runs.

The launches are in launches.py, the kernels in forward.py and backward.py, and how they
tile the maps in tiling.py.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..._common import launch
from ..._common.compile_together import launch_all
from . import launches
from .launches import Backward, forward_launches, parameter_arguments
from .parameter_gradients import parameter_gradients
from .tiling import plan_backward, plan_forward

# Memory for the states between launches; more clips are worked on one after another.
STATE_BYTES = 2 << 30


def _split_clips(x: Tensor, numbers: int) -> Iterator[slice]:
    """Clips that have room for so many float32 numbers for each pixel of a pair."""
    n, c, t, h, w = x.shape
    clips = STATE_BYTES // max(1, 4 * numbers * c * (t - 1) * h * w)
    clips = min(n, max(1, clips))
    return (slice(begin, begin + clips) for begin in range(0, n, clips))


def forward(
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    initial_flow: Tensor | None,
    n_iters: int,
    variant: str,
) -> Tensor:
    """See :func:`flowzoo_kernels.representation_flow`."""
    parameters = image_kernel, flow_kernel, div_kernel, theta, lam, tau
    n, c, t, h, w = x.shape
    out = x.new_empty((n, 2 * c, t - 1, h, w))
    if n == 0:
        return out
    arguments = parameter_arguments(parameters)
    if initial_flow is not None:
        initial_flow = initial_flow.contiguous()
    with launch.device_guard(x):
        plan = plan_forward(x, n_iters, variant == "paper")
        several = plan.iterations < n_iters
        trained = flow_kernel.requires_grad
        key = plan, n_iters, variant, trained, x.dtype, initial_flow is None
        for clips in _split_clips(x, 2 * 6 if several else 0):
            initial = None if initial_flow is None else initial_flow[clips]
            arguments_of_clips = x[clips], out[clips], arguments, initial
            launch_all(
                forward_launches(*arguments_of_clips, n_iters, variant, plan), key
            )
    return out


def backward(
    grad: Tensor,
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    initial_flow: Tensor | None,
    n_iters: int,
    variant: str,
    needs: list[bool],
) -> tuple[Tensor, ...]:
    """Gradients of the first eight arguments of the operator, in their types.

    Those that ``needs`` does not ask for are empty.
    """
    parameters = image_kernel, flow_kernel, div_kernel, theta, lam, tau
    need_x, *wanted, need_initial = needs
    need_image, need_flow, need_div, need_theta, *_ = wanted
    x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
    if need_initial:
        initial_grad = initial_flow.new_empty(initial_flow.shape)
    else:
        initial_grad = x.new_empty(0, dtype=torch.float32)
    if len(x) == 0:
        each = zip(parameters, wanted, strict=True)
        grads = [p.new_zeros(p.shape if need else 0) for p, need in each]
        return x_grad, *grads, initial_grad
    arguments = parameter_arguments(parameters)
    if initial_flow is not None:
        initial_flow = initial_flow.contiguous()
    flags = {"NEED_X": need_x, "NEED_IMAGE": need_image, "NEED_FLOW": need_flow}
    flags["NEED_DIV"] = need_div or need_theta
    sums = None
    with launch.device_guard(x):
        plan, recompute_plan = plan_backward(x, n_iters, variant == "paper")
        count = math.ceil(n_iters / plan.iterations)
        numbers = 6 * min(launches.STATES, count) + 2 * 6 + 3 if count > 1 else 0
        key = plan, recompute_plan, n_iters, variant, *flags.values(), need_initial
        key += x.dtype, grad.dtype, initial_flow is None
        for clips in _split_clips(x, numbers):
            initial = None if initial_flow is None else initial_flow[clips]
            back = Backward(x[clips], arguments, n_iters, variant, flags, plan, initial)
            calls = back.all_launches(
                recompute_plan,
                grad[clips],
                x_grad[clips] if need_x else None,
                initial_grad[clips] if need_initial else None,
            )
            launch_all(calls, key)
            if any(wanted):
                more = back.sums.sum(1, dtype=torch.float64)
                sums = more if sums is None else sums + more
        grads = parameter_gradients(sums, arguments, variant, wanted)
        return x_grad, *grads, initial_grad
