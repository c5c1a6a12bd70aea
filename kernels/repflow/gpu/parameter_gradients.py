"""From the sums that a backward pass makes to the gradients of the parameters.

The layout of the sums and the formulas are those of ../parameter_gradients.py.
"""

import triton
import triton.language as tl
from torch import Tensor

from ..._common.triton_options import LAUNCH_OPTIONS, compile_once
from .backward import SUM_BOUND, SUM_DIV, SUM_FLOW, SUM_STEP


@triton.jit
def _store_taps(
    ptr, values, channel, exists, column, BEGIN: tl.constexpr, COUNT: tl.constexpr
):
    """Store COUNT columns of the values; at ptr, a channel's lie side by side."""
    if ptr is not None:
        wanted = exists & (column >= BEGIN) & (column < BEGIN + COUNT)
        tl.store(ptr + channel * COUNT + column - BEGIN, values, mask=wanted)


@triton.jit
def _store_kernel_gradients(
    image_grad_ptr, flow_grad_ptr, div_grad_ptr, sums, theta, channel, exists, column,
    PAPER: tl.constexpr,
):  # fmt: skip
    """Write one channel's gradients of the three kernels, from its sums."""
    flow_taps: tl.constexpr = 18 if PAPER else 4
    image_taps: tl.constexpr = 18 if PAPER else 6
    image: tl.constexpr = SUM_FLOW + flow_taps
    _store_taps(image_grad_ptr, sums, channel, exists, column, image, image_taps)
    _store_taps(flow_grad_ptr, sums, channel, exists, column, SUM_FLOW, flow_taps)
    _store_taps(div_grad_ptr, theta * sums, channel, exists, column, SUM_DIV, 4)


@compile_once
def parameter_gradients_kernel(
    sums_ptr,  # (C, SUMS), float64
    div_ptr,  # paper (2, 2), tvl1 (C, 2, 2)
    theta_ptr,  # (1,)
    lam_ptr,  # (1,)
    tau_ptr,  # (1,)
    image_grad_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 3); as all below, None if not needed
    flow_grad_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 2)
    div_grad_ptr,  # paper (2, 2), tvl1 (C, 2, 2)
    theta_grad_ptr,  # (1,)
    lam_grad_ptr,  # (1,)
    tau_grad_ptr,  # (1,)
    channels,
    PAPER: tl.constexpr,
    SUMS: tl.constexpr,
    CHANNELS: tl.constexpr,  # at a time
):
    """Gradients of the kernels and scalars from the sums of all channels."""
    theta, tau = tl.load(theta_ptr).to(tl.float64), tl.load(tau_ptr).to(tl.float64)
    lam = tl.load(lam_ptr).to(tl.float64)
    column = tl.arange(0, SUMS)[None, :]
    total = tl.zeros([CHANNELS, SUMS], tl.float64)
    through_div = total
    for begin in range(0, channels, CHANNELS):
        channel = begin + tl.arange(0, CHANNELS)[:, None]
        exists = channel < channels
        sums = tl.load(sums_ptr + channel * SUMS + column, mask=exists, other=0.0)
        total += sums
        tap = column - SUM_DIV
        if not PAPER:
            tap += channel * 4
        is_div = exists & (column >= SUM_DIV) & (column < SUM_FLOW)
        through_div += sums * tl.load(div_ptr + tap, mask=is_div, other=0.0)
        if not PAPER:
            _store_kernel_gradients(
                image_grad_ptr, flow_grad_ptr, div_grad_ptr, sums, theta, channel,
                exists, column, PAPER,
            )  # fmt: skip
    total = tl.sum(total, 0)[None, :]
    if PAPER:  # all channels share the kernels
        _store_kernel_gradients(
            image_grad_ptr, flow_grad_ptr, div_grad_ptr, total, theta, 0 * column,
            column >= 0, column, PAPER,
        )  # fmt: skip
    step_sum = tl.sum(tl.sum(tl.where(column == SUM_STEP, total, 0.0), 1), 0)
    bound_sum = tl.sum(tl.sum(tl.where(column == SUM_BOUND, total, 0.0), 1), 0)
    if theta_grad_ptr is not None:
        through = tl.sum(tl.sum(through_div, 1), 0)
        theta_grad = through + lam * bound_sum - tau / (theta * theta) * step_sum
        tl.store(theta_grad_ptr, theta_grad)
    if lam_grad_ptr is not None:
        tl.store(lam_grad_ptr, theta * bound_sum)
    if tau_grad_ptr is not None:
        tl.store(tau_grad_ptr, step_sum / theta)


def parameter_gradients(
    sums: Tensor | None, parameters: dict[str, Tensor], variant: str, needs: list[bool]
) -> list[Tensor]:
    """From the sums (C, SUMS), float64, to the gradients; empty where not needed.

    Args:
        parameters: image_ptr, flow_ptr, div_ptr, theta_ptr, lam_ptr, tau_ptr.
        needs: of each of them.
    """
    gradients = [
        p.new_empty(p.shape if need else 0)
        for p, need in zip(parameters.values(), needs, strict=True)
    ]
    if any(needs):
        pointers = {
            name.replace("_ptr", "_grad_ptr"): gradient if need else None
            for name, gradient, need in zip(parameters, gradients, needs, strict=True)
        }
        used = "div_ptr", "theta_ptr", "lam_ptr", "tau_ptr"
        parameter_gradients_kernel[(1,)](
            sums_ptr=sums,
            **{name: parameters[name] for name in used},
            **pointers,
            channels=sums.shape[0],
            PAPER=variant == "paper",
            SUMS=sums.shape[1],
            CHANNELS=8,
            num_warps=1,  # as several would all store the sums of all channels
            **LAUNCH_OPTIONS,
        )
    return gradients
