"""Resizing, gradients and warping on the CPU."""

import math

from numba import njit

from ..._common.jit import INLINE, JIT
from ..reference import MIN_GRADIENT
from .iterate import GX, GY, NEG_INV, RHO, row_of

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
    for y in range(new_h):
        y0, weight = _tap(y, ratio_y, h)
        y1, fy = min(y0 + 1, h - 1), new.dtype.type(weight)
        for x in range(new_w):
            x0, weight = _tap(x, ratio_x, w)
            x1, fx = min(x0 + 1, w - 1), new.dtype.type(weight)
            left = old[y0, x0] * (one - fy) + old[y1, x0] * fy
            right = old[y0, x1] * (one - fy) + old[y1, x1] * fy
            new[y, x] = (left * (one - fx) + right * fx) * factor


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
def _weights(f, bicubic):
    """Of the four pixels around a place at fraction f after the second."""
    kind = type(f)
    one = kind(1)
    if not bicubic:
        return kind(0), one - f, f, kind(0)
    a, g = kind(-0.75), one - f
    # The reference's cubic at f + 1, factored.
    first = a * f * g * g
    second = ((a + kind(2)) * f - (a + kind(3))) * f * f + one
    third = ((a + kind(2)) * g - (a + kind(3))) * g * g + one
    return first, second, third, one - first - second - third


@njit(**JIT)
def warp(frame, second, u, c, bicubic, grid):
    """The coefficients c of the iterations linearized at the flow u.

    frame: (H, W), the first one. second: the second one from :func:`interleave`, one
    row of pixels flat.
    """
    h, w, pitch = grid.h, grid.w, grid.pitch
    kind = frame.dtype.type
    one, zero, least = kind(1), kind(0), kind(MIN_GRADIENT)
    width = second.shape[1]
    flat = second.reshape(second.shape[0] * width * 4)
    for y in range(h):
        place, out = row_of(2, y, grid), row_of(4, y, grid)
        for x in range(w):
            fu, fv = u[place + x], u[place + pitch + x]
            iu, iv = math.floor(fu), math.floor(fv)
            a0, a1, a2, a3 = _weights(kind(fu - iu), bicubic)
            b0, b1, b2, b3 = _weights(kind(fv - iv), bicubic)
            # Farther outside all four pixels are zeros.
            x0 = int(min(max(x + iu, -3.0), w + 1.0)) + MARGIN - 1
            y0 = int(min(max(y + iv, -3.0), h + 1.0)) + MARGIN - 1
            i = (y0 * width + x0) * 4
            s0 = s1 = s2 = kind(0)
            for r in range(4):
                b = b0 if r == 0 else b1 if r == 1 else b2 if r == 2 else b3
                q = b * a0, b * a1, b * a2, b * a3
                s0 += q[0] * flat[i] + q[1] * flat[i + 4]
                s0 += q[2] * flat[i + 8] + q[3] * flat[i + 12]
                s1 += q[0] * flat[i + 1] + q[1] * flat[i + 5]
                s1 += q[2] * flat[i + 9] + q[3] * flat[i + 13]
                s2 += q[0] * flat[i + 2] + q[1] * flat[i + 6]
                s2 += q[2] * flat[i + 10] + q[3] * flat[i + 14]
                i += 4 * width
            j = out + x
            c[j + GX * pitch] = s1
            c[j + GY * pitch] = s2
            c[j + RHO * pitch] = s0 - s1 * fu - s2 * fv - frame[y, x]
            squared = s1 * s1 + s2 * s2
            c[j + NEG_INV * pitch] = -one / squared if squared > least else zero
