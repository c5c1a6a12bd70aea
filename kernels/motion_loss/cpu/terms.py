"""The three terms of the motion losses on rows of one step, and the warp, in Numba.

``s`` is the scratch memory of a thread: maps of one step, (channels, step, pitch) each,
then single rows. ``at``, ``to`` and ``base`` are offsets in it, ``size`` is that of a
map, ``k`` holds the constants of a term, and ``sums`` are those of a band.
"""

from numba import njit

from ..._common.sampling import below, sample_row, samples, samples_and_slopes
from ..._common.simd import (
    INLINE,
    JIT,
    LANES,
    vaccumulate,
    vload,
    vsplat,
    vstore,
    vwiden,
)
from ..._common.vector_memory import copy
from ..._common.vector_power import vpow

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


@njit(**INLINE)
def inside(index, size):
    """Whether index is one of 0 .. size - 1."""
    return 0 <= index < size


@njit(**INLINE)
def row(base, number, pitch):
    """Offset of one of the single rows, which begin at base."""
    return base + number * (pitch + 2 * LANES)


@njit(**JIT)
def warp_row(source, flow, scale, y, s, to, step, size, memory, with_gradient):
    """Row y of the warped frame, at offset ``to`` of each map, and of its derivatives.

    source: (C, H, W), flat; flow: (2, H, W); memory: of samples. The derivatives only
    with the gradient.
    """
    _, h, w = flow.shape
    places, fields = memory
    pitch = len(places)
    plane = step * pitch
    sample_row(flow, scale, y, (h, w), False, places, fields)
    down = below(h, w)
    for c in range(size // plane):
        base = c * h * w
        for x in range(0, pitch, LANES):
            at = to + c * plane + x
            if with_gradient:
                value, along_x, along_y = samples_and_slopes(
                    source, base, down, places, fields, x
                )
                vstore(s, ALONG_X * size + at, along_x)
                vstore(s, ALONG_Y * size + at, along_y)
            else:
                value = samples(source, base, down, places, fields, x)
            vstore(s, WARPED * size + at, value)


@njit(**JIT)
def photometric_row(s, at, size, pitch, mask, k, with_gradient, sums):
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
        if with_gradient:
            vstore(s, GRADIENT * size + i, factor * d * p)
    vaccumulate(sums, SUM_PHOTOMETRIC * LANES, total)


@njit(**JIT)
def ssim_channel(
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
            s[row(base, SSIM_MX, pitch) + x] = mx
            s[row(base, SSIM_MY, pitch) + x] = my
            s[row(base, SSIM_CS, pitch) + x] = cs
            s[row(base, SSIM_D1, pitch) + x] = d1
            s[row(base, SSIM_D2, pitch) + x] = d2
    if not with_gradient:
        return
    for x in range(0, pitch, LANES):
        mx = vload(s, row(base, SSIM_MX, pitch) + x)
        my = vload(s, row(base, SSIM_MY, pitch) + x)
        cs = vload(s, row(base, SSIM_CS, pitch) + x)
        d1 = vload(s, row(base, SSIM_D1, pitch) + x)
        d2 = vload(s, row(base, SSIM_D2, pitch) + x)
        for r in range(rows):
            i = first + r * pitch + x
            dx = vload(s, WARPED * size + i) - mx
            dy = vload(s, TARGET * size + i) - my
            g = vload(tiled, r * pitch + x) * (d1 + d2 * (dy - cs * dx))
            vstore(s, GRADIENT * size + i, vload(s, GRADIENT * size + i) + g)


@njit(**JIT)
def _flow_row(flow, component, y, s, to, pitch):
    """Copy row y of the flow to offset ``to``, its last column repeated."""
    _, h, w = flow.shape
    copy(flow, (component * h + y) * w, s, to, w)
    for x in range(w, pitch + LANES):
        s[to + x] = flow[component, y, w - 1]


@njit(**JIT)
def smoothness_row(flow, y, s, base, pitch, active, k, with_gradient, out_row, sums):
    """Smoothness term of row y, and the flow's gradient from it, added to OUT.

    Counts nothing and leaves OUT alone where not ``out_row``: a row above the band's
    first, of which only the differences along y are needed.
    """
    alpha, beta, eps2, factor = k
    power = vsplat(alpha - s.dtype.type(1))
    factor = factor * s.dtype.type(2) * alpha * beta * beta
    mask = row(base, MASK, pitch)
    h = flow.shape[1]
    zero = vsplat(s.dtype.type(0))
    total = zero
    for component in range(2):
        own = row(base, FLOW + component, pitch)
        below = row(base, FLOW_BELOW + component, pitch)
        px = row(base, DIFFERENCE_X + component, pitch) + LANES
        py = row(base, DIFFERENCE_Y + component, pitch)
        out = row(base, OUT + component, pitch)
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
            if not with_gradient:
                continue
            vstore(s, px + x, gx)
            vstore(s, py + x, gy)
            if out_row:
                g = (before - gx - gy) + vload(s, px + x - 1)
                vstore(s, out + x, vload(s, out + x) + g)
    if out_row:
        vaccumulate(sums, SUM_SMOOTHNESS * LANES, total)
