"""Resizing, gradients and warping on the CPU."""

import numpy as np
from numba import njit

from ..._common.jit import INLINE, JIT
from ..._common.simd import (
    WIDE,
    vload,
    vload_wide,
    vsplat,
    vsplat_wide,
    vstore,
    vwhere_outside,
)
from ..reference import MIN_GRADIENT
from .iterate import GX, GY, NEG_INV, RHO, row_of
from .vectors import (
    load,
    vfloor,
    vhalves,
    vload_fourth,
    vmax,
    vmin,
    vstore_sum_of_halves,
)

MARGIN = 4  # zeros around a frame to be sampled


@njit(**INLINE)
def _tap(i, ratio, size):
    """Bilinear resizing: the left neighbor of new pixel i, the weight of the right."""
    place = min(max((i + 0.5) * ratio - 0.5, 0.0), size - 1.0)
    left = min(int(place), max(size - 2, 0))
    return left, place - left


@njit(**JIT)
def resize(old, new, h, w, new_h, new_w, ratio_y, ratio_x, factor):
    """new[y, x] from old[y, x], bilinearly, times factor. ratio: old pixels a new one.

    old, new: two-dimensional arrays at least as large as h x w and new_h x new_w.
    """
    one = new.dtype.type(1)
    factor = new.dtype.type(factor)
    lefts, weights = np.empty(new_w, np.uint32), np.empty(new_w, new.dtype)
    for x in range(new_w):
        lefts[x], weights[x] = _tap(x, ratio_x, w)
    for y in range(new_h):
        y0, weight = _tap(y, ratio_y, h)
        above, below = old[y0], old[min(y0 + 1, h - 1)]
        fy = new.dtype.type(weight)
        for x in range(new_w):
            x0, fx = lefts[x], weights[x]
            x1 = min(x0 + 1, w - 1)
            left = above[x0] * (one - fy) + below[x0] * fy
            right = above[x1] * (one - fy) + below[x1] * fy
            new[y, x] = (left * (one - fx) + right * fx) * factor


@njit(**INLINE)
def copy(old, new, h, w):
    """new[y, x] from old[y, x]. Numba compiles an assignment of arrays far longer."""
    for y in range(h):
        for x in range(w):
            new[y, x] = old[y, x]


@njit(**JIT)
def interleave(frame, target):
    """Frame (H, W), its central gradient along x and y, in target (>= H + 8, W + 8, 4).

    Zeros around, in a margin of MARGIN pixels.
    """
    h, w = frame.shape
    half = frame.dtype.type(0.5)
    target[:MARGIN] = 0
    target[h + MARGIN :] = 0
    for y in range(h):
        row = target[y + MARGIN]
        row[:MARGIN] = 0
        row[w + MARGIN :] = 0
        above, below = max(y - 1, 0), min(y + 1, h - 1)
        for x in range(w):
            right, left = frame[y, min(x + 1, w - 1)], frame[y, max(x - 1, 0)]
            row[x + MARGIN, 0] = frame[y, x]
            row[x + MARGIN, 1] = (right - left) * half
            row[x + MARGIN, 2] = (frame[below, x] - frame[above, x]) * half
            row[x + MARGIN, 3] = 0


@njit(**INLINE)
def _store_weights(t, i, pitch, f, one, bicubic):
    """At t[i], t[i + pitch] and so on: of the four pixels around places at fractions f.

    The fractions count from the second pixel. f and one are vectors.
    """
    kind = t.dtype.type
    a, g = kind(-0.75), one - f
    if bicubic:  # the reference's cubics, factored
        first, last = a * f * g * g, a * f * f * g
        second = ((a + kind(2)) * f - (a + kind(3))) * f * f + one
        third = one - first - second - last
    else:
        first = last = f * kind(0)
        second, third = g, f
    vstore(t, i, first)
    vstore(t, i + pitch, second)
    vstore(t, i + 2 * pitch, third)
    vstore(t, i + 3 * pitch, last)


@njit(**INLINE)
def _prepare_row(u, place, y, t, bicubic, grid):
    """Of a row's pixels: weights along x and y, the first taps' x and y, in ten rows.

    The ten rows of t hold ``pitch`` numbers each.
    """
    pitch = grid.pitch
    kind = u.dtype.type
    one, margin = vsplat_wide(kind(1)), kind(MARGIN - 1)
    # Farther outside all four pixels are zeros.
    before, right, below = vsplat_wide(kind(-3)), kind(grid.w + 1), kind(grid.h + 1)
    for x in range(WIDE):
        t[8 * pitch + x] = x
    own_x, own_y = vload_wide(t, 8 * pitch), vsplat_wide(kind(y))
    for x in range(0, grid.end, WIDE):
        u_x, v_x = vload_wide(u, place + x), vload_wide(u, place + pitch + x)
        whole_u, whole_v = vfloor(u_x), vfloor(v_x)
        _store_weights(t, x, pitch, u_x - whole_u, one, bicubic)
        _store_weights(t, 4 * pitch + x, pitch, v_x - whole_v, one, bicubic)
        tap = vmin(vmax(own_x + whole_u, before), vsplat_wide(right))
        vstore(t, 8 * pitch + x, tap + margin)
        tap = vmin(vmax(own_y + whole_v, before), vsplat_wide(below))
        vstore(t, 9 * pitch + x, tap + margin)
        own_x = own_x + kind(WIDE)


@njit(**JIT)
def warp(frame, second, u, c, t, bicubic, grid):
    """The coefficients c of the iterations linearized at the flow u.

    frame: (H, W), the first one. second: the second one from :func:`interleave`, of
    which a vector holds two pixels. t: scratch memory of 14 pitches.
    """
    h, w, pitch = grid.h, grid.w, grid.pitch
    one, least = frame.dtype.type(1), vsplat_wide(frame.dtype.type(MIN_GRADIENT))
    width = second.shape[1]
    flat = second.reshape(second.shape[0] * width * 4)
    samples = t[10 * pitch :]  # of each pixel: frame, gradients along x and y, 0
    samples[4 * w : 4 * grid.end] = 0
    for y in range(h):
        place, out = row_of(2, y, grid), row_of(4, y, grid)
        _prepare_row(u, place, y, t, bicubic, grid)
        for x in range(w):
            x0, y0 = int(load(t, 8 * pitch + x)), int(load(t, 9 * pitch + x))
            i = (y0 * width + x0) * 4
            b = vsplat(load(t, 4 * pitch + x))
            left, right = b * vload(flat, i), b * vload(flat, i + 8)
            for r in range(5, 8):
                i += 4 * width
                b = vsplat(load(t, r * pitch + x))
                left = left + b * vload(flat, i)
                right = right + b * vload(flat, i + 8)
            a01 = vhalves(load(t, x), load(t, pitch + x))
            a23 = vhalves(load(t, 2 * pitch + x), load(t, 3 * pitch + x))
            vstore_sum_of_halves(samples, 4 * x, a01 * left + a23 * right)
        for x in range(w):
            t[x] = frame[y, x]
        t[w : grid.end] = 0
        for x in range(0, grid.end, WIDE):
            i, j, k = place + x, out + x, 4 * x
            gx, gy = vload_fourth(samples, k + 1), vload_fourth(samples, k + 2)
            moved = gx * vload_wide(u, i) + gy * vload_wide(u, i + pitch)
            rho = vload_fourth(samples, k) - moved - vload_wide(t, x)
            vstore(c, j + GX * pitch, gx)
            vstore(c, j + GY * pitch, gy)
            vstore(c, j + RHO * pitch, rho)
            squared = gx * gx + gy * gy
            inverse = vwhere_outside(squared, least, -one / squared)
            vstore(c, j + NEG_INV * pitch, inverse)
