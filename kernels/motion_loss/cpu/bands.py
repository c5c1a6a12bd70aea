"""The motion losses of bands of rows, step by step, in Numba.

terms.py says what the scratch memory and the offsets in it are called.
"""

from typing import NamedTuple

from numba import njit

from ..._common.sampling import new_samples
from ..._common.simd import JIT, LANES, cached_njit, vload, vsplat, vstore
from ..._common.vector_memory import copy
from .terms import (
    ALONG_X,
    ALONG_Y,
    GRADIENT,
    MAPS,
    MASK,
    OUT,
    TARGET,
    inside,
    photometric_row,
    row,
    smoothness_row,
    ssim_channel,
    warp_row,
)


class Terms(NamedTuple):
    """The numbers of a scale. The factor is that of a term's gradient."""

    border: int
    flow_scale: float
    photometric: tuple[float, ...]  # alpha, beta, eps^2, factor
    smoothness: tuple[float, ...]  # alpha, beta, eps^2, factor
    ssim: tuple[float, ...]  # C1, C2, factor, in float64


@njit(**JIT)
def _flow_gradient_row(s, first, size, channels, scale, pitch, out_x, out_y):
    """The gradients of one row, which begins at ``first``, with respect to the flow."""
    for x in range(0, pitch, LANES):
        i = first + x
        gu = gv = vsplat(s.dtype.type(0))
        for _ in range(channels):
            g = vload(s, GRADIENT * size + i)
            gu = gu + g * vload(s, ALONG_X * size + i)
            gv = gv + g * vload(s, ALONG_Y * size + i)
            i += size // channels
        vstore(s, out_x + x, scale * gu)
        vstore(s, out_y + x, scale * gv)


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
    memory,
    s,
    columns,
    sums,
):
    """Rows begin..end of one pair of frames.

    target: (C, H, W); source: the same, flat; flow: (2, H, W); gradient: the same
    shape. table: weights of a window, (step, step); tiled: table side by side over a
    row, (step, pitch), flat. memory: of samples; s, columns: scratch memory.
    """
    border, scale, photometric, smoothness, ssim = terms
    channels, h, w = target.shape
    step = table.shape[0]
    pitch = tiled.size // step
    size = channels * step * pitch
    base = MAPS * size
    mask = row(base, MASK, pitch)
    out_x, out_y = row(base, OUT, pitch), row(base, OUT + 1, pitch)
    s[:] = 0
    s[mask + border : mask + w - border] = 1
    if begin > 0 and with_gradient:
        active = inside(begin - 1 - border, h - 2 * border)
        smoothness_row(
            flow, begin - 1, s, base, pitch, active, smoothness, True, False, sums
        )
    for top in range(begin, end, step):
        rows = min(step, h - top)
        for r in range(rows):
            y = top + r
            to = r * pitch
            warp_row(source, flow, scale, y, s, to, step, size, memory, with_gradient)
            active = inside(y - border, h - 2 * border)
            for c in range(channels):
                at = to + c * step * pitch
                copy(target, (c * h + y) * w, s, TARGET * size + at, w)
                if active:
                    photometric_row(
                        s, at, size, pitch, mask, photometric, with_gradient, sums
                    )
                elif with_gradient:
                    s[GRADIENT * size + at : GRADIENT * size + at + pitch] = 0
        for c in range(channels):
            ssim_channel(
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
            if with_gradient:
                _flow_gradient_row(
                    s, r * pitch, size, channels, scale, pitch, out_x, out_y
                )
            active = inside(y - border, h - 2 * border)
            smoothness_row(
                flow, y, s, base, pitch, active, smoothness, with_gradient, True, sums
            )
            if with_gradient:
                copy(s, out_x, gradient, y * w, w)
                copy(s, out_y, gradient, (h + y) * w, w)


@cached_njit
def bands_of_pairs(
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

    target: (P C, H, W); source: the same, flat; flow: (2P, H, W). band: rows of one.
    See _band.
    """
    pairs, h, w = flow.shape[0] // 2, flow.shape[1], flow.shape[2]
    channels = target.shape[0] // pairs
    bands = -(-h // band)
    memory = new_samples(flow, w)
    for i in range(sums.shape[0]):
        pair, begin = (first + i) // bands, (first + i) % bands * band
        c, f = pair * channels, 2 * pair
        _band(
            target[c : c + channels],
            source[c * h * w :],
            flow[f : f + 2],
            gradient[f : f + 2],
            with_gradient,
            tiled,
            table,
            begin,
            min(h, begin + band),
            terms,
            memory,
            s,
            columns,
            sums[i],
        )
