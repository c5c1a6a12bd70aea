"""The motion losses on the CPU: values and the flow's gradient in one pass, in Numba.

A task is a band of rows of one pair of frames, or several small pairs; the tasks of all
scales are in one list. A band is walked down in steps of the SSIM stride; the warped
rows of one step, their derivatives along x and y and the gradient with respect to them
stay in the scratch memory of a thread, in cache. A pixel belongs to at most one SSIM
window, so its gradient is known when the window's sums are.

Rows in scratch memory are ``pitch`` numbers long, a multiple of LANES, filled up with
zeros or, for the flow, with its last column, so that differences there are 0.

Sums over pixels are kept in float64 per lane and band, and added up in their order,
whichever thread they come from: results repeat bit by bit.
"""

from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .._common.precision import compute_dtype, numpy_type
from .._common.simd import (
    INLINE,
    JIT,
    LANES,
    cached_njit,
    vaccumulate,
    vload,
    vpow,
    vsplat,
    vstore,
    vwiden,
)
from .._common.threads import run_tasks
from .reference import Constants, border_width, divisors, ssim_table

BAND = 64  # rows of a band, rounded up to steps
TASK = 4096  # pixels that are worth a task

# Maps of one step, (C, step, pitch) each.
TARGET, WARPED, ALONG_X, ALONG_Y, GRADIENT = range(5)
MAPS = 5
# Single rows behind them, 2 LANES longer; of the flow one for each component.
MASK = 0
SSIM_MX, SSIM_MY, SSIM_CS, SSIM_D1, SSIM_D2 = range(1, 6)
FLOW, FLOW_BELOW, DIFFERENCE_X, DIFFERENCE_Y, OUT = range(6, 16, 2)
ROWS = 16
# Sums of a band, LANES numbers each.
SUM_PHOTOMETRIC, SUM_SMOOTHNESS, SUM_SSIM = range(3)


class Terms(NamedTuple):
    """The numbers of a scale. The factor is that of a term's gradient."""

    border: int
    flow_scale: float
    photometric: tuple[float, ...]  # alpha, beta, eps^2, factor
    smoothness: tuple[float, ...]  # alpha, beta, eps^2, factor
    ssim: tuple[float, ...]  # C1, C2, factor, in float64


@njit(**INLINE)
def _inside(value, size):
    return 0 <= value < size


@njit(**INLINE)
def _row(base, row, pitch):
    return base + row * (pitch + 2 * LANES)


@njit(**JIT)
def _warp_row(source, flow, scale, y, s, to, step, pitch):
    """Row y of the warped frame and of its derivatives, at offset ``to`` of each map.

    source: (C, H, W); flow: (2, H, W).
    """
    channels, h, w = source.shape
    one, zero = s.dtype.type(1), s.dtype.type(0)
    size = channels * step * pitch
    for x in range(w):
        u, v = scale * flow[0, y, x], scale * flow[1, y, x]
        iu, iv = np.floor(u), np.floor(v)
        fx, fy = u - iu, v - iv
        # NaN and what is too far to matter: outside, with a fraction that may be NaN
        x0 = x + int(iu) if abs(iu) <= w else -2
        y0 = y + int(iv) if abs(iv) <= h else -2
        at = to + x
        if _inside(x0, w - 1) and _inside(y0, h - 1):
            for c in range(channels):
                a, b = source[c, y0, x0], source[c, y0, x0 + 1]
                d, e = source[c, y0 + 1, x0], source[c, y0 + 1, x0 + 1]
                top, bottom = a + fx * (b - a), d + fx * (e - d)
                s[WARPED * size + at] = top + fy * (bottom - top)
                s[ALONG_X * size + at] = (one - fy) * (b - a) + fy * (e - d)
                s[ALONG_Y * size + at] = bottom - top
                at += step * pitch
            continue
        left, right = _inside(x0, w), _inside(x0 + 1, w)
        above, below = _inside(y0, h), _inside(y0 + 1, h)
        for c in range(channels):
            a = source[c, y0, x0] if above and left else zero
            b = source[c, y0, x0 + 1] if above and right else zero
            d = source[c, y0 + 1, x0] if below and left else zero
            e = source[c, y0 + 1, x0 + 1] if below and right else zero
            top = (one - fx) * a + fx * b
            bottom = (one - fx) * d + fx * e
            s[WARPED * size + at] = (one - fy) * top + fy * bottom
            s[ALONG_X * size + at] = (one - fy) * (b - a) + fy * (e - d)
            s[ALONG_Y * size + at] = bottom - top
            at += step * pitch


@njit(**JIT)
def _photometric_row(s, at, size, pitch, mask, k, sums):
    """Photometric term of one row of one channel; its gradient goes to GRADIENT."""
    alpha, beta, eps2, factor = k
    power = vsplat(alpha - s.dtype.type(1))
    factor = factor * s.dtype.type(-2) * alpha * beta * beta
    total = vsplat(s.dtype.type(0))
    for i in range(at, at + pitch, LANES):
        d = vload(s, TARGET * size + i) - vload(s, WARPED * size + i)
        z = beta * d
        z = z * z + eps2
        m = vload(s, mask + i - at)
        p = m * vpow(z, power)
        total = total + p * z
        vstore(s, GRADIENT * size + i, factor * d * p)
    vaccumulate(sums, SUM_PHOTOMETRIC * LANES, total)


@njit(**JIT)
def _ssim_channel(
    s,
    first,
    rows,
    w,
    size,
    pitch,
    base,
    table,
    tiled,
    step,
    k,
    columns,
    with_gradient,
    sums,
):
    """SSIM of the windows of one step and channel; adds its gradient to GRADIENT.

    first: offset of the step's first row. base: of the single rows. table: (step,
    step), 0 beyond a window. tiled: (step, pitch), table side by side. columns: 5 sums
    of each column, in float64.
    """
    c1, c2, factor = k
    for x in range(0, pitch, LANES):
        i = first + x
        wx = vwiden(vload(tiled, x))
        a, b = vwiden(vload(s, WARPED * size + i)), vwiden(vload(s, TARGET * size + i))
        wa, wb = wx * a, wx * b
        sa, sb, saa, sbb, sab = wa, wb, wa * a, wb * b, wa * b
        for r in range(1, rows):
            i += pitch
            wx = vwiden(vload(tiled, r * pitch + x))
            a = vwiden(vload(s, WARPED * size + i))
            b = vwiden(vload(s, TARGET * size + i))
            wa, wb = wx * a, wx * b
            sa, sb = sa + wa, sb + wb
            saa, sbb, sab = saa + wa * a, sbb + wb * b, sab + wa * b
        vstore(columns, x, sa)
        vstore(columns, pitch + x, sb)
        vstore(columns, 2 * pitch + x, saa)
        vstore(columns, 3 * pitch + x, sbb)
        vstore(columns, 4 * pitch + x, sab)
    for start in range(0, w, step):
        mx = my = xx = yy = xy = 0.0
        stop = min(start + step, w)
        for x in range(start, stop):
            mx += columns[x]
            my += columns[pitch + x]
            xx += columns[2 * pitch + x]
            yy += columns[3 * pitch + x]
            xy += columns[4 * pitch + x]
        by_mean = mx * mx + my * my + c1
        by_spread = xx - mx * mx + yy - my * my + c2
        lp = (2 * mx * my + c1) / by_mean
        cs = (2 * (xy - mx * my) + c2) / by_spread
        sums[SUM_SSIM * LANES] += lp * cs
        d1 = factor * 2 * cs * (my - mx * lp) / by_mean
        d2 = factor * 2 * lp / by_spread
        for x in range(start, stop):
            s[_row(base, SSIM_MX, pitch) + x] = mx
            s[_row(base, SSIM_MY, pitch) + x] = my
            s[_row(base, SSIM_CS, pitch) + x] = cs
            s[_row(base, SSIM_D1, pitch) + x] = d1
            s[_row(base, SSIM_D2, pitch) + x] = d2
    if not with_gradient:
        return
    for x in range(0, pitch, LANES):
        mx = vload(s, _row(base, SSIM_MX, pitch) + x)
        my = vload(s, _row(base, SSIM_MY, pitch) + x)
        cs = vload(s, _row(base, SSIM_CS, pitch) + x)
        d1 = vload(s, _row(base, SSIM_D1, pitch) + x)
        d2 = vload(s, _row(base, SSIM_D2, pitch) + x)
        for r in range(rows):
            i = first + r * pitch + x
            dx = vload(s, WARPED * size + i) - mx
            dy = vload(s, TARGET * size + i) - my
            g = vload(tiled, r * pitch + x) * (d1 + d2 * (dy - cs * dx))
            vstore(s, GRADIENT * size + i, vload(s, GRADIENT * size + i) + g)


@njit(**JIT)
def _flow_row(flow, component, y, s, to, pitch):
    w = flow.shape[2]
    for x in range(w):
        s[to + x] = flow[component, y, x]
    for x in range(w, pitch + LANES):
        s[to + x] = flow[component, y, w - 1]


@njit(**JIT)
def _smoothness_row(flow, y, s, base, pitch, active, k, out_row, sums):
    """Smoothness term of row y, and the flow's gradient from it, added to OUT.

    Counts nothing and leaves OUT alone where not ``out_row``: a row above the band's
    first, of which only the differences along y are needed.
    """
    alpha, beta, eps2, factor = k
    power = vsplat(alpha - s.dtype.type(1))
    factor = factor * s.dtype.type(2) * alpha * beta * beta
    mask = _row(base, MASK, pitch)
    h = flow.shape[1]
    zero = vsplat(s.dtype.type(0))
    total = zero
    for component in range(2):
        own = _row(base, FLOW + component, pitch)
        below = _row(base, FLOW_BELOW + component, pitch)
        px = _row(base, DIFFERENCE_X + component, pitch) + LANES
        py = _row(base, DIFFERENCE_Y + component, pitch)
        out = _row(base, OUT + component, pitch)
        _flow_row(flow, component, y, s, own, pitch)
        _flow_row(flow, component, min(y + 1, h - 1), s, below, pitch)
        for x in range(0, pitch, LANES):
            before = vload(s, py + x)  # of the row above
            gx = gy = zero
            if active:
                m, f = vload(s, mask + x), vload(s, own + x)
                dx, dy = vload(s, own + x + 1) - f, vload(s, below + x) - f
                zx, zy = beta * dx, beta * dy
                zx, zy = zx * zx + eps2, zy * zy + eps2
                pow_x, pow_y = m * vpow(zx, power), m * vpow(zy, power)
                total = total + (pow_x * zx + pow_y * zy)
                gx, gy = factor * dx * pow_x, factor * dy * pow_y
            vstore(s, px + x, gx)
            vstore(s, py + x, gy)
            if out_row:
                g = (before - gx - gy) + vload(s, px + x - 1)
                vstore(s, out + x, vload(s, out + x) + g)
    if out_row:
        vaccumulate(sums, SUM_SMOOTHNESS * LANES, total)


@njit(**JIT)
def _band(
    target,
    source,
    flow,
    gradient,
    with_gradient,
    tiled,
    table,
    begin,
    end,
    terms,
    s,
    columns,
    sums,
):
    """Rows begin..end of one pair of frames.

    target, source: (C, H, W); flow: (2, H, W); gradient: the same shape. s: scratch.
    """
    border, scale, photometric, smoothness, ssim = terms
    channels, h, w = target.shape
    step = table.shape[0]
    pitch = tiled.size // step
    size = channels * step * pitch
    base = MAPS * size
    mask = _row(base, MASK, pitch)
    out_x, out_y = _row(base, OUT, pitch), _row(base, OUT + 1, pitch)
    s[:] = 0
    s[mask + border : mask + w - border] = 1
    if begin > 0:
        active = _inside(begin - 1 - border, h - 2 * border)
        _smoothness_row(
            flow, begin - 1, s, base, pitch, active, smoothness, False, sums
        )
    for top in range(begin, end, step):
        rows = min(step, h - top)
        for r in range(rows):
            y = top + r
            to = r * pitch
            _warp_row(source, flow, scale, y, s, to, step, pitch)
            active = _inside(y - border, h - 2 * border)
            for c in range(channels):
                at = to + c * step * pitch
                for x in range(w):
                    s[TARGET * size + at + x] = target[c, y, x]
                if active:
                    _photometric_row(s, at, size, pitch, mask, photometric, sums)
                else:
                    s[GRADIENT * size + at : GRADIENT * size + at + pitch] = 0
        for c in range(channels):
            _ssim_channel(
                s,
                c * step * pitch,
                rows,
                w,
                size,
                pitch,
                base,
                table,
                tiled,
                step,
                ssim,
                columns,
                with_gradient,
                sums,
            )
        for r in range(rows):
            y = top + r
            for x in range(0, pitch, LANES):
                i = r * pitch + x
                gu = gv = vsplat(s.dtype.type(0))
                for _ in range(channels):
                    g = vload(s, GRADIENT * size + i)
                    gu = gu + g * vload(s, ALONG_X * size + i)
                    gv = gv + g * vload(s, ALONG_Y * size + i)
                    i += step * pitch
                vstore(s, out_x + x, scale * gu)
                vstore(s, out_y + x, scale * gv)
            active = _inside(y - border, h - 2 * border)
            _smoothness_row(flow, y, s, base, pitch, active, smoothness, True, sums)
            if with_gradient:
                for x in range(w):
                    gradient[0, y, x] = s[out_x + x]
                    gradient[1, y, x] = s[out_y + x]


@cached_njit
def _bands(
    target,
    source,
    flow,
    gradient,
    with_gradient,
    tiled,
    table,
    band,
    first,
    terms,
    s,
    columns,
    sums,
):
    """Bands first, first + 1, ... of some pairs, one for each of the rows of sums.

    target, source: (P C, H, W); flow: (2P, H, W). band: rows of one. See _band.
    """
    pairs, h = flow.shape[0] // 2, flow.shape[1]
    channels = target.shape[0] // pairs
    bands = -(-h // band)
    for i in range(sums.shape[0]):
        pair, begin = (first + i) // bands, (first + i) % bands * band
        c, f = pair * channels, 2 * pair
        _band(
            target[c : c + channels],
            source[c : c + channels],
            flow[f : f + 2],
            gradient[f : f + 2],
            with_gradient,
            tiled,
            table,
            begin,
            min(h, begin + band),
            terms,
            s,
            columns,
            sums[i],
        )


def _tables(window: int, step: int, w: int, k: Constants):
    """The window's weights in one step, and side by side over a row, (step, pitch)."""
    size = min(window, step)
    weights = np.array(ssim_table(window, k.ssim_sigma, k.ssim_center))
    table = np.zeros((step, step))
    table[:size, :size] = weights[:size, :size]
    tiled = np.zeros((step, -(-w // LANES) * LANES))
    tiled[:, :w] = table[:, np.arange(w) % step]
    return table, tiled


class _Scale:
    """The inputs, constants and results of one scale."""

    def __init__(
        self,
        inputs: tuple[Tensor, Tensor, Tensor],
        k: Constants,
        window: int,
        stride: int,
        normalization: str,
        dtype: torch.dtype,
        need_gradient: bool,
    ) -> None:
        self.inputs = [t.detach() for t in inputs]
        self.dtype = dtype
        self.need_gradient = need_gradient
        real = numpy_type(dtype)
        n, c, h, w = inputs[0].shape
        self.pairs = inputs[2].shape[1] // 2
        self.channels = c // self.pairs
        step = min(stride, max(h, w))  # the rest of a window reaches no pixel
        self.band = -(-BAND // step) * step
        self.bands = -(-h // self.band)
        self.table, tiled = _tables(window, step, w, k)
        self.pitch = tiled.shape[1]
        self.tiled = tiled.astype(real).ravel()
        self.divisors = divisors(inputs[0].shape, self.pairs, k, normalization)
        self.weights = k.photometric_weight, k.smoothness_weight, k.ssim_weight
        factors = [w / d for w, d in zip(self.weights, self.divisors, strict=True)]
        photometric = k.photometric_alpha, k.photometric_beta, k.epsilon**2, factors[0]
        smoothness = k.smoothness_alpha, k.smoothness_beta, k.epsilon**2, factors[1]
        self.terms = Terms(
            border_width(h, w, k.border),
            real(k.flow_scale),
            tuple(real(number) for number in photometric),
            tuple(real(number) for number in smoothness),
            (k.ssim_c1, k.ssim_c2, -factors[2]),
        )
        self.windows = n * c * -(-h // step) * -(-w // step)
        shape = inputs[2].shape if need_gradient else (n, 2 * self.pairs, 0, 0)
        self.gradient = torch.empty(shape, dtype=dtype)
        self.sums = np.zeros((n, self.pairs * self.bands, 3 * LANES))
        self.scratch = MAPS * self.channels * step * self.pitch
        self.scratch += ROWS * (self.pitch + 2 * LANES)

    def tasks(self) -> list[tuple[int, int, int]]:
        """Example, first band, behind the last band; of several pairs if small."""
        n, _, h, w = self.inputs[0].shape
        total = self.pairs * self.bands
        group = max(1, TASK // (h * w)) if self.bands == 1 else 1
        return [
            (i, first, min(first + group, total))
            for i in range(n)
            for first in range(0, total, group)
        ]

    def _array(self, t: Tensor, i: int, first: int, stop: int) -> np.ndarray:
        # a view of contiguous maps in the type of the computation
        return t[i, first:stop].to(self.dtype).contiguous().numpy()

    def run(
        self, i: int, first: int, stop: int, scratch: np.ndarray, columns: np.ndarray
    ) -> None:
        begin, end = first // self.bands, -(-stop // self.bands)
        target, source, flow = self.inputs
        maps = begin * self.channels, end * self.channels
        _bands(
            self._array(target, i, *maps),
            self._array(source, i, *maps),
            self._array(flow, i, 2 * begin, 2 * end),
            self.gradient[i, 2 * begin : 2 * end].numpy(),
            self.need_gradient,
            self.tiled,
            self.table,
            self.band,
            first - begin * self.bands,
            self.terms,
            scratch[: self.scratch],
            columns[: 5 * self.pitch],
            self.sums[i, first:stop],
        )

    def parts(self) -> np.ndarray:
        totals = self.sums.sum((0, 1)).reshape(3, LANES).sum(1)
        totals[2] = self.windows - totals[2]
        return totals / self.divisors


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
    """The loss, parts of each scale, and gradients of flow, empty if not needed."""
    dtype = compute_dtype(*flows)
    options = window, stride, normalization, dtype, need_gradient
    scales = [
        _Scale(inputs, k, *options)
        for *inputs, k in zip(targets, sources, flows, constants, strict=True)
    ]
    tasks = [(scale, task) for scale in scales for task in scale.tasks()]
    real = numpy_type(dtype)

    def make_worker():
        scratch = np.empty(max(scale.scratch for scale in scales), dtype=real)
        columns = np.empty(max(5 * scale.pitch for scale in scales))

        def worker(number: int) -> None:
            scale, task = tasks[number]
            scale.run(*task, scratch, columns)

        return worker

    run_tasks(make_worker, len(tasks))
    parts = np.stack([scale.parts() for scale in scales])
    loss = sum(
        part @ np.array(s.weights) for s, part in zip(scales, parts, strict=True)
    )
    gradients = [
        scale.gradient if need_gradient else scale.gradient.new_empty(0)
        for scale in scales
    ]
    return (
        torch.tensor(float(loss), dtype=dtype),
        torch.from_numpy(parts).to(dtype),
        gradients,
    )
