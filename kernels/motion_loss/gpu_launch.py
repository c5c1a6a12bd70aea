"""Launch the motion-loss kernel for every scale, and add up what it leaves.

The same face as cpu.py.
"""

from functools import lru_cache

import torch
from torch import Tensor

from .._common.checks import check_plane
from .._common.launch import device_guard
from . import gpu
from .reference import Constants, border_width, divisors, ssim_table

PIXELS = 256  # of a program, 2 for a thread


@lru_cache(maxsize=64)
def _window_table(
    window: int, step: int, sigma: float, center: float, device: str
) -> Tensor:
    """The window's weights in one step, (SIDE, SIDE), 0 beyond; SIDE a power of 2."""
    side = 1 << (step - 1).bit_length()
    size = min(window, step)
    table = torch.zeros(side, side, device="cpu")
    weights = torch.tensor(ssim_table(window, sigma, center), device="cpu")
    table[:size, :size] = weights[:size, :size]
    return table.to(device)


@lru_cache(maxsize=64)
def _device_constants(rows: tuple[tuple[float, ...], ...], device: str) -> Tensor:
    """Numbers in float64 that are copied to the device once."""
    return torch.tensor(rows, dtype=torch.float64, device=device)


def _triton_scale(
    inputs: tuple[Tensor, Tensor, Tensor],
    k: Constants,
    window: int,
    stride: int,
    factors: tuple[float, ...],
    gradient: Tensor,
    sums: Tensor,
) -> None:
    """Launch the kernel for one scale. factors: weight / divisor of each term."""
    _, c, h, w = inputs[0].shape
    pairs = inputs[2].shape[1] // 2
    check_plane("flow", h, w, "triton")
    step = min(stride, max(h, w))  # the rest of a window reaches no pixel
    device = str(gradient.device)
    table = _window_table(window, step, k.ssim_sigma, k.ssim_center, device)
    gpu.motion_loss_kernel[(_programs(inputs[2], stride),)](
        *inputs,
        table,
        gradient,
        sums,
        *(stride for tensor in inputs for stride in tensor.stride()),
        pairs,
        c // pairs,
        h,
        w,
        step,
        border_width(h, w, k.border),
        k.flow_scale,
        k.photometric_alpha,
        k.photometric_beta,
        k.smoothness_alpha,
        k.smoothness_beta,
        k.epsilon**2,
        k.ssim_c1,
        k.ssim_c2,
        *factors,
        GRADIENT=gradient.numel() > 0,
        SIDE=table.shape[0],
        ACROSS=_across(step),
        num_warps=warps(table.shape[0], _across(step)),
    )


def warps(side: int, across: int) -> int:
    """2 pixels for a thread, and 4 in the largest windows, whose registers suffice."""
    return max(4, side * side * across // 128)


def _across(step: int) -> int:
    """Windows of a program, side by side."""
    side = 1 << (step - 1).bit_length()
    return max(1, PIXELS // side**2)


def _programs(flow: Tensor, stride: int) -> int:
    n, channels, h, w = flow.shape
    step = min(stride, max(h, w))
    return n * channels // 2 * -(-h // step) * -(-w // (step * _across(step)))


def forward(
    targets: list[Tensor],
    sources: list[Tensor],
    flows: list[Tensor],
    constants: list[Constants],
    window: int,
    stride: int,
    normalization: str,
    need_gradient: bool,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    first = flows[0]
    gradients = [
        flow.new_empty(flow.shape if need_gradient else 0, dtype=torch.float32)
        for flow in flows
    ]
    # places of programs that a scale does not have add nothing
    programs = [_programs(flow, stride) for flow in flows]
    sums = first.new_zeros((len(flows), max(programs), 3), dtype=torch.float32)
    offsets, scales, weights = [], [], []
    with device_guard(first):
        for i, (flow, k) in enumerate(zip(flows, constants, strict=True)):
            n, c, h, w = targets[i].shape
            by = divisors(targets[i].shape, flow.shape[1] // 2, k, normalization)
            weight = k.photometric_weight, k.smoothness_weight, k.ssim_weight
            if programs[i] > 0:
                _triton_scale(
                    (targets[i], sources[i], flow),
                    k,
                    window,
                    stride,
                    tuple(a / b for a, b in zip(weight, by, strict=True)),
                    gradients[i],
                    sums[i],
                )
            step = min(stride, max(h, w))
            windows = n * c * -(-h // step) * -(-w // step)
            # a part is offset + scale * sum: SSIM's windows minus how similar they are
            offsets.append((0.0, 0.0, windows / by[2]))
            scales.append((1 / by[0], 1 / by[1], -1 / by[2]))
            weights.append(weight)
    numbers = (tuple(offsets), tuple(scales), tuple(weights))
    device = str(first.device)
    offset, scale, weight = (_device_constants(rows, device) for rows in numbers)
    parts = torch.addcmul(offset, scale, sums.sum(1, dtype=torch.float64))
    return (weight * parts).sum().float(), parts.float(), gradients
