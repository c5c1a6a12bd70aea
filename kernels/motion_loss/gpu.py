"""The motion losses on GPUs: values and the flow's gradient in one pass, in Triton.

A program holds ACROSS windows of one row of SSIM windows of one pair of frames. Pixels
are laid out as (SIDE, ACROSS, SIDE): row of a window, window, column of a window. SIDE
is the power of 2 that holds the stride; places past the stride are no pixels. It walks
over the channels. Each pixel belongs to one window, so that everything its gradient
needs lies in the program; there are no atomics, and results repeat bit by bit.

Offsets are int64; only the pixels of one plane have to be fewer than 2^31.
"""

from functools import lru_cache

import torch
import triton
import triton.language as tl
from torch import Tensor

from .._common.checks import check_plane
from .._common.launch import device_guard, named_strides
from .._common.triton_options import LAUNCH_OPTIONS, compile_once
from .options import Options
from .reference import border_width, divisors, ssim_table

PIXELS = 64  # of a program, 2 for a thread


@triton.jit
def _pow(value, exponent):
    """value ** exponent for a normal positive value: at least epsilon squared."""
    return tl.exp2(exponent * tl.log2(value))


@triton.jit
def _load(ptr, y, x, sh, sw, ok):
    """The pixels at (y, x) of a plane in float32, 0 where not ok."""
    place = y.to(tl.int64) * sh + x.to(tl.int64) * sw
    return tl.load(ptr + place, mask=ok, other=0.0).to(tl.float32)


@triton.jit
def _window_sum(values):
    """Sums over the windows of (SIDE, ACROSS, SIDE), as (1, ACROSS, 1)."""
    return tl.sum(tl.sum(values, 2, keep_dims=True), 0, keep_dims=True)


@triton.jit
def _total(values):
    """The sum of all values."""
    return tl.sum(tl.sum(tl.sum(values, 2), 1), 0)


@triton.jit
def _whole(value, limit):
    """Floor and its index, far outside past the limit; NaN only in the fraction."""
    floor = tl.floor(value)
    index = tl.where(tl.abs(floor) <= limit, floor, -2.0 - limit).to(tl.int32)
    return floor, index


@triton.jit
def _difference(ahead, own, mask, alpha, beta, eps2):
    """Smoothness of one difference, and its derivative by it; 0 where not mask."""
    d = tl.where(mask, ahead - own, 0.0)
    z = beta * d
    z = z * z + eps2
    power = tl.where(mask, _pow(z, alpha - 1), 0.0)
    return power * z, 2 * alpha * beta * beta * d * power


@triton.jit
def _smoothness(ptr, y, x, sh, sw, h, w, ok, border, alpha, beta, eps2):
    """Value and gradient of one flow component, the gradient as a gather."""
    own = _load(ptr, y, x, sh, sw, ok)
    # the differences across the last column and row are 0
    right = tl.where(x + 1 < w, _load(ptr, y, x + 1, sh, sw, ok & (x + 1 < w)), own)
    below = tl.where(y + 1 < h, _load(ptr, y + 1, x, sh, sw, ok & (y + 1 < h)), own)
    left = _load(ptr, y, x - 1, sh, sw, ok & (x > 0))
    above = _load(ptr, y - 1, x, sh, sw, ok & (y > 0))
    rows, columns = (y >= border) & (y < h - border), (x >= border) & (x < w - border)
    inner = ok & rows & columns
    value_x, gx = _difference(right, own, inner, alpha, beta, eps2)
    value_y, gy = _difference(below, own, inner, alpha, beta, eps2)
    inner_left = ok & rows & (x > border) & (x <= w - border)
    inner_above = ok & columns & (y > border) & (y <= h - border)
    _, from_left = _difference(own, left, inner_left, alpha, beta, eps2)
    _, from_above = _difference(own, above, inner_above, alpha, beta, eps2)
    return value_x + value_y, from_left - gx + from_above - gy


@compile_once
def motion_loss_kernel(
    target_ptr,  # (N, P C, H, W), any strides
    source_ptr,  # (N, P C, H, W), any strides
    flow_ptr,  # (N, 2P, H, W), any strides
    table_ptr,  # (SIDE, SIDE), float32, 0 where there is no weight
    gradient_ptr,  # (N, 2P, H, W), float32, contiguous; or empty
    sums_ptr,  # (programs, 3), float32: photometric, smoothness, similar
    tsn,
    tsc,
    tsh,
    tsw,
    ssn,
    ssc,
    ssh,
    ssw,
    fsn,
    fsc,
    fsh,
    fsw,
    pairs,
    channels,  # of one frame
    h,
    w,
    stride,
    border,
    scale,
    p_alpha,
    p_beta,
    s_alpha,
    s_beta,
    eps2,
    c1,
    c2,
    p_factor,  # weight / divisor of each term
    s_factor,
    ssim_factor,
    GRADIENT: tl.constexpr,
    SIDE: tl.constexpr,
    ACROSS: tl.constexpr,
):
    """The sums of the three terms over one row of windows, and the flow's gradient.

    Names: tsn .. fsw are strides of target, source and flow; i, j, k the row in a
    window, the window and the column in it; u, v the flow in pixels, fx, fy its
    fractions; a, b, c, d the pixels sampled above left, above right, below left and
    below right; mx, my, sx, sy, sxy means and spreads of warped and target; lp and cs
    the two factors of SSIM; gu, gv the gradient of u and v.
    """
    program = tl.program_id(0)
    groups = tl.cdiv(tl.cdiv(w, stride), ACROSS)
    rows = tl.cdiv(h, stride)
    group, row = program % groups, program // groups % rows
    pair = program // groups // rows
    n, p = (pair // pairs).to(tl.int64), (pair % pairs).to(tl.int64)

    i = tl.arange(0, SIDE)[:, None, None]
    j = (group * ACROSS + tl.arange(0, ACROSS))[None, :, None]
    k = tl.arange(0, SIDE)[None, None, :]
    y, x = row * stride + i + 0 * j + 0 * k, j * stride + k + 0 * i
    ok = (i < stride) & (k < stride) & (y < h) & (x < w)
    weight = tl.load(table_ptr + i * SIDE + k) + 0.0 * j
    weight = tl.where(ok, weight, 0.0)
    inner = ok & (y >= border) & (y < h - border) & (x >= border) & (x < w - border)

    flow = flow_ptr + n * fsn + 2 * p * fsc
    u = scale * _load(flow, y, x, fsh, fsw, ok)
    v = scale * _load(flow + fsc, y, x, fsh, fsw, ok)
    floor_u, iu = _whole(u, w)
    floor_v, iv = _whole(v, h)
    fx, fy = u - floor_u, v - floor_v
    x0, y0 = x + iu, y + iv
    left, right = ok & (x0 >= 0) & (x0 < w), ok & (x0 >= -1) & (x0 < w - 1)
    above, below = (y0 >= 0) & (y0 < h), (y0 >= -1) & (y0 < h - 1)

    source = source_ptr + n * ssn + p * channels * ssc
    target = target_ptr + n * tsn + p * channels * tsc
    # windows that reach over the border weigh less than 1
    missing = 1 - _window_sum(weight)
    window = (j * stride < w) & (i == 0) & (k == 0)
    gu = 0.0 * u
    gv = 0.0 * u
    photometric = 0.0 * u
    similar = 0.0 * u
    for _ in range(channels):
        a = _load(source, y0, x0, ssh, ssw, above & left)
        b = _load(source, y0, x0 + 1, ssh, ssw, above & right)
        c = _load(source, y0 + 1, x0, ssh, ssw, below & left)
        d = _load(source, y0 + 1, x0 + 1, ssh, ssw, below & right)
        goal = _load(target, y, x, tsh, tsw, ok)
        top, bottom = (1 - fx) * a + fx * b, (1 - fx) * c + fx * d
        warped = (1 - fy) * top + fy * bottom

        difference = goal - warped
        z = p_beta * difference
        z = z * z + eps2
        power = tl.where(inner, _pow(z, p_alpha - 1), 0.0)
        photometric += power * z

        # Spreads about the means, so that they do not cancel
        mx, my = _window_sum(weight * warped), _window_sum(weight * goal)
        dx, dy = warped - mx, goal - my
        sx = _window_sum(weight * dx * dx) + mx * mx * missing
        sy = _window_sum(weight * dy * dy) + my * my * missing
        sxy = _window_sum(weight * dx * dy) + mx * my * missing
        by_mean, by_spread = mx * mx + my * my + c1, sx + sy + c2
        lp, cs = (2 * mx * my + c1) / by_mean, (2 * sxy + c2) / by_spread
        similar += tl.where(window, lp * cs, 0.0)
        if GRADIENT:
            g = -2 * p_factor * p_alpha * p_beta * p_beta * difference * power
            d1 = 2 * cs * (my - mx * lp) / by_mean
            d2 = 2 * lp / by_spread
            g -= ssim_factor * weight * (d1 + d2 * (dy - cs * dx))
            gu += g * ((1 - fy) * (b - a) + fy * (d - c))
            gv += g * (bottom - top)
        source += ssc
        target += tsc

    value_u, smooth_u = _smoothness(
        flow, y, x, fsh, fsw, h, w, ok, border, s_alpha, s_beta, eps2
    )
    value_v, smooth_v = _smoothness(
        flow + fsc, y, x, fsh, fsw, h, w, ok, border, s_alpha, s_beta, eps2
    )
    sums = sums_ptr + program.to(tl.int64) * 3
    tl.store(sums, _total(photometric))
    tl.store(sums + 1, _total(value_u + value_v))
    tl.store(sums + 2, _total(similar))
    if GRADIENT:
        out = gradient_ptr + (n * pairs + p) * 2 * h * w + y * w + x
        tl.store(out, scale * gu + s_factor * smooth_u, mask=ok)
        tl.store(out + h * w, scale * gv + s_factor * smooth_v, mask=ok)


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
    options: Options,
    factors: tuple[float, ...],
    gradient: Tensor,
    sums: Tensor,
) -> None:
    """Launch the kernel for one scale. factors: weight / divisor of each term."""
    _, c, h, w = inputs[0].shape
    pairs = inputs[2].shape[1] // 2
    check_plane("flow", h, w, "triton")
    window, stride = options.ssim_window, options.ssim_stride
    step = min(stride, max(h, w))  # the rest of a window reaches no pixel
    table = _window_table(
        window, step, options.ssim_sigma, options.ssim_center, str(gradient.device)
    )
    motion_loss_kernel[(_programs(inputs[2], stride),)](
        *inputs,
        table_ptr=table,
        gradient_ptr=gradient,
        sums_ptr=sums,
        **named_strides("t", inputs[0]),
        **named_strides("s", inputs[1]),
        **named_strides("f", inputs[2]),
        pairs=pairs,
        channels=c // pairs,
        h=h,
        w=w,
        stride=step,
        border=border_width(h, w, options.border),
        scale=options.flow_scale,
        p_alpha=options.photometric_alpha,
        p_beta=options.photometric_beta,
        s_alpha=options.smoothness_alpha,
        s_beta=options.smoothness_beta,
        eps2=options.epsilon**2,
        c1=options.ssim_c1,
        c2=options.ssim_c2,
        p_factor=factors[0],
        s_factor=factors[1],
        ssim_factor=factors[2],
        GRADIENT=gradient.numel() > 0,
        SIDE=table.shape[0],
        ACROSS=_across(step),
        num_warps=warps(table.shape[0], _across(step)),
        **LAUNCH_OPTIONS,
    )


def warps(side: int, across: int) -> int:
    """2 pixels for a thread, and 4 in the largest windows, whose registers suffice."""
    return min(8, max(1, side * side * across // 64))


def _across(step: int) -> int:
    """Windows of a program, side by side."""
    side = 1 << (step - 1).bit_length()
    return max(1, PIXELS // side**2)


def _programs(flow: Tensor, stride: int) -> int:
    """How many programs compute the losses of one scale."""
    n, channels, h, w = flow.shape
    step = min(stride, max(h, w))
    return n * channels // 2 * -(-h // step) * -(-w // (step * _across(step)))


def forward(
    targets: list[Tensor],
    sources: list[Tensor],
    flows: list[Tensor],
    scales: list[Options],
    need_gradient: bool,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The loss, parts of each scale, and gradients of flow, empty if not needed."""
    first = flows[0]
    gradients = [
        flow.new_empty(flow.shape if need_gradient else 0, dtype=torch.float32)
        for flow in flows
    ]
    stride = scales[0].ssim_stride
    # slots of programs that a scale does not have add nothing
    programs = [_programs(flow, stride) for flow in flows]
    sums = first.new_zeros((len(flows), max(programs), 3), dtype=torch.float32)
    offsets, factors, weights = [], [], []
    with device_guard(first):
        for i, (flow, options) in enumerate(zip(flows, scales, strict=True)):
            n, c, h, w = targets[i].shape
            by = divisors(targets[i].shape, flow.shape[1] // 2, options)
            if programs[i] > 0:
                _triton_scale(
                    (targets[i], sources[i], flow),
                    options,
                    tuple(a / b for a, b in zip(options.weights, by, strict=True)),
                    gradients[i],
                    sums[i],
                )
            step = min(stride, max(h, w))
            windows = n * c * -(-h // step) * -(-w // step)
            # a part is offset + factor * sum: SSIM's windows minus how similar they are
            offsets.append((0.0, 0.0, windows / by[2]))
            factors.append((1 / by[0], 1 / by[1], -1 / by[2]))
            weights.append(options.weights)
    numbers = (tuple(offsets), tuple(factors), tuple(weights))
    device = str(first.device)
    offset, factor, weight = (_device_constants(rows, device) for rows in numbers)
    parts = torch.addcmul(offset, factor, sums.sum(1, dtype=torch.float64))
    return (weight * parts).sum().float(), parts.float(), gradients
