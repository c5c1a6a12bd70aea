"""TV-L1 flow on GPUs, in Triton, in float32.

All pairs of a batch, and all windows that tile them, are one launch. A program loads a
window of the state and computes STEPS iterations in registers; what it computes wrong
near the window's sides, where neighbors are missing, moves inward by a pixel an
iteration, and is not stored.

Pairs stop on the device, each after its own number of iterations, and the host waits
for nothing: it launches all iterations that there may be, and programs of pairs that
have stopped return at once. The state of a pair is in one of two buffers; ``side`` says
in which. After each launch of STEPS iterations ``stop_kernel`` looks at their changes,
and if one in the middle was to be the last, the launch is repeated up to there.

P pairs of H x W pixels; u (P, 2, H, W), p (P, 4, H, W): p11, p12, p21, p22; c
(P, 3, H, W): gx, gy and the constant part of the residual. Planes have to have fewer
than 2^31 pixels.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..._common.launch import device_guard
from ..._common.triton_options import LAUNCH_OPTIONS, compile_once
from ..options import Options, level_sizes
from ..reference import MIN_GRADIENT, central_gradient, pyramid, resize
from .median import median_kernel

ROWS, COLS = 32, 64  # of a window
STEPS = 5  # iterations of a launch
BLOCK = 256  # pixels of a program of the other kernels
NUM_WARPS = 16
NO_GRADIENT = tl.constexpr(MIN_GRADIENT)


@triton.jit
def _cubic(f):
    """Weights of the four pixels around a place at fraction f after the second."""
    a = -0.75
    first = ((a * (f + 1) - 5 * a) * (f + 1) + 8 * a) * (f + 1) - 4 * a
    second = ((a + 2) * f - (a + 3)) * f * f + 1
    g = 1 - f
    third = ((a + 2) * g - (a + 3)) * g * g + 1
    return first, second, third, 1 - first - second - third


@compile_once
def warp_kernel(
    first_ptr,  # (P, H, W)
    images_ptr,  # (P, 3, H, W): the second frame and its gradient
    u_ptr,  # (2, P, 2, H, W)
    side_ptr,  # (P,), int64
    c_ptr,  # (P, 3, H, W)
    pairs,
    h,
    w,
    BICUBIC: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Linearize BLOCK pixels of a pair at its flow."""
    pixels = h * w
    blocks = tl.cdiv(pixels, BLOCK)
    pair = (tl.program_id(0) // blocks).to(tl.int64)
    pixel = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < pixels
    at = u_ptr + (tl.load(side_ptr + pair) * pairs + pair) * 2 * pixels + pixel
    u = tl.load(at, mask=inside, other=0.0)
    v = tl.load(at + pixels, mask=inside, other=0.0)
    whole_u, whole_v = tl.floor(u), tl.floor(v)
    fx, fy = u - whole_u, v - whole_v
    # far outside either way, without overflow
    limit_x, limit_y = (w + 4).to(tl.float32), (h + 4).to(tl.float32)
    whole_u = tl.minimum(tl.maximum(whole_u, -limit_x), limit_x)
    whole_v = tl.minimum(tl.maximum(whole_v, -limit_y), limit_y)
    x0 = pixel % w + whole_u.to(tl.int32)
    y0 = pixel // w + whole_v.to(tl.int32)
    if BICUBIC:
        weights_x, weights_y = _cubic(fx), _cubic(fy)
        FIRST: tl.constexpr = -1
        TAPS: tl.constexpr = 4
    else:
        weights_x, weights_y = (1 - fx, fx), (1 - fy, fy)
        FIRST: tl.constexpr = 0
        TAPS: tl.constexpr = 2
    warped = tl.zeros((BLOCK,), tl.float32)
    gx = tl.zeros((BLOCK,), tl.float32)
    gy = tl.zeros((BLOCK,), tl.float32)
    image = images_ptr + pair * 3 * pixels
    for j in tl.static_range(TAPS):
        for i in tl.static_range(TAPS):
            x, y = x0 + FIRST + i, y0 + FIRST + j
            ok = inside & (x >= 0) & (x < w) & (y >= 0) & (y < h)
            at = image + y * w + x
            weight = weights_x[i] * weights_y[j]
            warped += weight * tl.load(at, mask=ok, other=0.0)
            gx += weight * tl.load(at + pixels, mask=ok, other=0.0)
            gy += weight * tl.load(at + 2 * pixels, mask=ok, other=0.0)
    first = tl.load(first_ptr + pair * pixels + pixel, mask=inside, other=0.0)
    out = c_ptr + pair * 3 * pixels + pixel
    tl.store(out, gx, mask=inside)
    tl.store(out + pixels, gy, mask=inside)
    tl.store(out + 2 * pixels, warped - gx * u - gy * v - first, mask=inside)


@triton.jit
def _dual_update(p_x, p_y, u, right, down, has_right, has_down, ratio):
    """p_x and p_y after the step along the gradient of u, and a projection."""
    ux = tl.where(has_right, tl.gather(u, right, 0) - u, 0.0)
    uy = tl.where(has_down, tl.gather(u, down, 0) - u, 0.0)
    inverse = 1 / (1 + ratio * tl.sqrt(ux * ux + uy * uy))
    return (p_x + ratio * ux) * inverse, (p_y + ratio * uy) * inverse


@compile_once
def iterate_kernel(
    u_ptr,  # (2, P, 2, H, W)
    p_ptr,  # (2, P, 4, H, W)
    filtered_ptr,  # (P, 2, H, W)
    c_ptr,  # (P, 3, H, W)
    side_ptr,  # (P,), int64
    count_ptr,  # (P,): iterations
    change_ptr,  # (P, windows, STEPS)
    pairs,
    h,
    w,
    bound,
    theta,
    ratio,
    steps,  # iterations that are at most done, <= STEPS
    FILTERED: tl.constexpr,  # whether u is read from filtered_ptr
    AGAIN: tl.constexpr,  # from the other buffer into this one, to ``count`` iterations
    STEPS: tl.constexpr,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
):
    """Iterations of one window of one pair; the changes of each."""
    inner_cols: tl.constexpr = COLS - 2 * STEPS
    inner_rows: tl.constexpr = ROWS - 2 * STEPS
    across = tl.cdiv(w, inner_cols)
    windows = across * tl.cdiv(h, inner_rows)
    pair = (tl.program_id(0) // windows).to(tl.int64)
    window = tl.program_id(0) % windows
    count = tl.minimum(tl.load(count_ptr + pair), steps)
    if count == 0:
        return
    side = tl.load(side_ptr + pair)
    if AGAIN:
        side = 1 - side
    old, new = side * pairs + pair, (1 - side) * pairs + pair
    lane = tl.arange(0, ROWS * COLS)
    column, row = lane % COLS, lane // COLS
    x = window % across * inner_cols + column - STEPS
    y = window // across * inner_rows + row - STEPS
    exists = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    stored = exists & (column >= STEPS) & (column < COLS - STEPS)
    stored = stored & (row >= STEPS) & (row < ROWS - STEPS)
    has_right, has_down = x < w - 1, y < h - 1
    left, right = lane - (column > 0), lane + (column < COLS - 1)
    up = lane - tl.where(row > 0, COLS, 0)
    down = lane + tl.where(row < ROWS - 1, COLS, 0)

    pixels = h * w
    at = y * w + x
    if FILTERED:
        plane = filtered_ptr + pair * 2 * pixels + at
    else:
        plane = u_ptr + old * 2 * pixels + at
    u = tl.load(plane, mask=exists, other=0.0)
    v = tl.load(plane + pixels, mask=exists, other=0.0)
    plane = p_ptr + old * 4 * pixels + at
    p11 = tl.load(plane, mask=exists, other=0.0)
    p12 = tl.load(plane + pixels, mask=exists, other=0.0)
    p21 = tl.load(plane + 2 * pixels, mask=exists, other=0.0)
    p22 = tl.load(plane + 3 * pixels, mask=exists, other=0.0)
    plane = c_ptr + pair * 3 * pixels + at
    gx = tl.load(plane, mask=exists, other=0.0)
    gy = tl.load(plane + pixels, mask=exists, other=0.0)
    rho_c = tl.load(plane + 2 * pixels, mask=exists, other=0.0)
    squared = gx * gx + gy * gy
    negative_inverse = tl.where(squared > NO_GRADIENT, -1 / squared, 0.0)

    changes = change_ptr + (pair * windows + window) * STEPS
    for step in range(count):
        rho = rho_c + gx * u + gy * v
        k = tl.minimum(tl.maximum(rho * negative_inverse, -bound), bound)
        # p is 0 where there is no pixel: also before the first column and row
        div_u = p11 - tl.gather(p11, left, 0) + p12 - tl.gather(p12, up, 0)
        div_v = p21 - tl.gather(p21, left, 0) + p22 - tl.gather(p22, up, 0)
        u_new = u + k * gx + theta * div_u
        v_new = v + k * gy + theta * div_v
        du, dv = u_new - u, v_new - v
        change = tl.sum(tl.where(stored, du * du + dv * dv, 0.0))
        if not AGAIN:
            tl.store(changes + step, change)
        u, v = u_new, v_new
        p11, p12 = _dual_update(
            p11, p12, u, right, down, has_right & exists, has_down & exists, ratio
        )
        p21, p22 = _dual_update(
            p21, p22, v, right, down, has_right & exists, has_down & exists, ratio
        )

    plane = u_ptr + new * 2 * pixels + at
    tl.store(plane, u, mask=stored)
    tl.store(plane + pixels, v, mask=stored)
    plane = p_ptr + new * 4 * pixels + at
    tl.store(plane, p11, mask=stored)
    tl.store(plane + pixels, p12, mask=stored)
    tl.store(plane + 2 * pixels, p21, mask=stored)
    tl.store(plane + 3 * pixels, p22, mask=stored)


@compile_once
def stop_kernel(
    change_ptr,  # (P, windows, STEPS)
    side_ptr,  # (P,), int64
    active_ptr,  # (P,): STEPS, or 0 for pairs that have stopped
    again_ptr,  # (P,): iterations of the repetition, 0 for none
    windows,
    steps,
    limit,
    STEPS: tl.constexpr,
    LANES: tl.constexpr,
    COLUMNS: tl.constexpr,  # a power of two, >= STEPS
):
    """After ``steps`` iterations of a pair: was one of them its last?"""
    pair = tl.program_id(0).to(tl.int64)
    tl.store(again_ptr + pair, 0)
    if tl.load(active_ptr + pair) == 0:
        return
    side = tl.load(side_ptr + pair)  # before the sums, after which it is written
    step = tl.arange(0, COLUMNS)
    total = tl.zeros((COLUMNS,), tl.float32)
    for start in range(0, windows, LANES):
        window = start + tl.arange(0, LANES)
        at = change_ptr + (pair * windows + window[:, None]) * STEPS + step[None, :]
        ok = (window[:, None] < windows) & (step[None, :] < steps)
        total += tl.sum(tl.load(at, mask=ok, other=0.0), axis=0)
    last = tl.min(tl.where((total <= limit) & (step < steps), step, COLUMNS))
    tl.store(side_ptr + pair, 1 - side)
    if last < COLUMNS:
        tl.store(active_ptr + pair, 0)
        if last < steps - 1:
            tl.store(again_ptr + pair, last + 1)


class _Pairs:
    """The state of all pairs at one level, and its launches."""

    def __init__(self, first: Tensor, second: Tensor, u: Tensor, options: Options):
        count, self.h, self.w = first.shape
        self.options = options
        self.first = first.contiguous()
        self.images = torch.stack([second, *central_gradient(second)], dim=1)
        self.u = torch.stack([u, u])
        self.p = first.new_zeros((2, count, 4, self.h, self.w))
        self.filtered = torch.empty_like(self.u[0])
        self.c = first.new_empty((count, 3, self.h, self.w))
        self.side = torch.zeros(count, dtype=torch.int64, device=first.device)
        self.active = self.side.to(torch.int32)
        self.again = torch.empty_like(self.active)
        inner = ROWS - 2 * STEPS, COLS - 2 * STEPS
        self.windows = triton.cdiv(self.h, inner[0]) * triton.cdiv(self.w, inner[1])
        self.changes = first.new_empty((count, self.windows, STEPS))
        self.blocks = triton.cdiv(self.h * self.w, BLOCK)

    def solve_warp(self) -> None:
        """Linearize at the flow, and iterate until each pair stops."""
        options, count = self.options, len(self.first)
        warp_kernel[(self.blocks * count,)](
            self.first,
            self.images,
            u_ptr=self.u,
            side_ptr=self.side,
            c_ptr=self.c,
            pairs=count,
            h=self.h,
            w=self.w,
            BICUBIC=options.interpolation == "bicubic",
            BLOCK=BLOCK,
            **LAUNCH_OPTIONS,
        )
        self.active.fill_(STEPS)
        for _ in range(options.outer_iterations):
            filtered = options.median > 1
            if filtered:
                median_kernel[(self.blocks * 2 * count,)](
                    u_ptr=self.u,
                    side_ptr=self.side,
                    active_ptr=self.active,
                    out_ptr=self.filtered,
                    pairs=count,
                    h=self.h,
                    w=self.w,
                    SIDE=options.median,
                    BLOCK=BLOCK,
                    **LAUNCH_OPTIONS,
                )
            for done in range(0, options.inner_iterations, STEPS):
                steps = min(STEPS, options.inner_iterations - done)
                self._iterate(steps, filtered and done == 0)

    def _iterate(self, steps: int, filtered: bool) -> None:
        options, count = self.options, len(self.first)
        for again in (False, True):
            iterate_kernel[(self.windows * count,)](
                self.u,
                self.p,
                filtered_ptr=self.filtered,
                c_ptr=self.c,
                side_ptr=self.side,
                count_ptr=self.again if again else self.active,
                change_ptr=self.changes,
                pairs=count,
                h=self.h,
                w=self.w,
                bound=options.lam * options.theta,
                theta=options.theta,
                ratio=options.tau / options.theta,
                steps=steps,
                FILTERED=filtered,
                AGAIN=again,
                STEPS=STEPS,
                ROWS=ROWS,
                COLS=COLS,
                num_warps=NUM_WARPS,
                **LAUNCH_OPTIONS,
            )
            if not again:
                stop_kernel[(count,)](
                    self.changes,
                    side_ptr=self.side,
                    active_ptr=self.active,
                    again_ptr=self.again,
                    windows=self.windows,
                    steps=steps,
                    limit=options.epsilon**2 * self.h * self.w,
                    STEPS=STEPS,
                    LANES=64,
                    COLUMNS=triton.next_power_of_2(STEPS),
                    **LAUNCH_OPTIONS,
                )

    def flow(self) -> Tensor:
        """(P, 2, H, W)."""
        return torch.where(self.side.view(-1, 1, 1, 1) == 0, *self.u)


def forward(gray: Tensor, initial: Tensor | None, options: Options) -> Tensor:
    """The flow (N, 2, T - 1, H, W) of gray frames (N, T, H, W) in [0, 255].

    See :func:`flowzoo_kernels.tvl1_flow`. initial: (N, 2, T - 1, H, W) or None.
    """
    n, t, h, w = gray.shape
    sizes = level_sizes(h, w, options)
    step = options.scale_step
    frames = pyramid(gray, sizes, step)
    if initial is None:
        u = gray.new_zeros((n * (t - 1), 2, *sizes[-1]))
    else:
        u = initial.to(gray.dtype).transpose(1, 2).flatten(0, 1)
        u = pyramid(u, sizes, step)[-1] * step ** (len(sizes) - 1)
    with device_guard(gray):
        for level in reversed(range(len(sizes))):
            size = sizes[level]
            if level < len(sizes) - 1:
                ratios = u.shape[-2] / size[0], u.shape[-1] / size[1]
                u = resize(u, size, ratios) / step
            first, second = (
                frames[level][:, k : k + t - 1].flatten(0, 1) for k in (0, 1)
            )
            pairs = _Pairs(first, second, u, options)
            for _ in range(options.warps):
                pairs.solve_warp()
            u = pairs.flow()
    return u.unflatten(0, (n, t - 1)).transpose(1, 2)
