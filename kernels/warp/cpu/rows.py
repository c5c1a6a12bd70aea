"""Backward bilinear warp on the CPU: the kernels, in Numba.

Images are flat, (N, C, H, W), with one more number at the end, which the last pair may
read or add 0 to where maps are one pixel wide. size: C, H, W. The image's gradient is a
scatter that one thread does for some planes in the order of their pixels: results
repeat bit by bit.
"""

import numpy as np
from numba import njit

from ..._common.simd import INLINE, LANES, cached_njit, vload, vstore
from .sampling import (
    MASK,
    WEIGHT,
    X_SLOPE,
    X_WEIGHT,
    Y_SLOPE,
    Y_WEIGHT,
    new_samples,
    sample_row,
    vand,
    vpairs,
)


@njit(**INLINE)
def _pixels(images, base, down, places, fields, x):
    """The four pixels that LANES pixels at x sample, 0 outside."""
    mask, pitch = MASK * len(places) + x, len(places)
    a, b = vpairs(images, base, places, x)
    d, e = vpairs(images, base + down, places, x)
    return (
        vand(a, vload(fields, mask)),
        vand(b, vload(fields, mask + pitch)),
        vand(d, vload(fields, mask + 2 * pitch)),
        vand(e, vload(fields, mask + 3 * pitch)),
    )


@njit(**INLINE)
def _samples(images, base, down, places, fields, x):
    """What LANES pixels at x sample."""
    a, b, d, e = _pixels(images, base, down, places, fields, x)
    pitch = len(places)
    i = WEIGHT * pitch + x
    top = vload(fields, i) * a + vload(fields, i + pitch) * b
    i += 2 * pitch
    return top + (vload(fields, i) * d + vload(fields, i + pitch) * e)


@njit(**INLINE)
def _down(h, w):
    """From a pixel to the one below, as far as there is one."""
    return w if h > 1 else 0


@cached_njit
def forward_rows(images, flows, outs, size, border, start, stop):
    """Rows start to stop - 1 of outs, flat, counted through all examples."""
    channels, h, w = size
    down, plane = _down(h, w), h * w
    places, fields = new_samples(flows, w)
    rest = np.empty(LANES, images.dtype)
    whole = w // LANES * LANES
    for row in range(start, stop):
        n, y = divmod(row, h)
        sample_row(flows[n], y, (h, w), border, places, fields)
        for c in range(channels):
            base = (n * channels + c) * plane
            to = base + y * w
            for x in range(0, whole, LANES):
                value = _samples(images, base, down, places, fields, x)
                vstore(outs, to + x, value)
            if whole < w:
                value = _samples(images, base, down, places, fields, whole)
                vstore(rest, 0, value)
                for x in range(w - whole):
                    outs[to + whole + x] = rest[x]


@cached_njit
def flow_gradient_rows(grads, images, flows, flow_grads, size, border, start, stop):
    """Rows start to stop - 1 of flow_grads (N, 2, H, W), counted through all examples.

    grads: (N, C, H, W).
    """
    channels, h, w = size
    down, plane = _down(h, w), h * w
    places, fields = new_samples(flows, w)
    pitch = len(places)
    line, total_u, total_v = np.zeros((3, pitch), images.dtype)
    for row in range(start, stop):
        n, y = divmod(row, h)
        sample_row(flows[n], y, (h, w), border, places, fields)
        total_u[:] = 0
        total_v[:] = 0
        for c in range(channels):
            base = (n * channels + c) * plane
            for x in range(w):
                line[x] = grads[n, c, y, x]
            for x in range(0, pitch, LANES):
                a, b, d, e = _pixels(images, base, down, places, fields, x)
                x0, x1 = X_WEIGHT * pitch + x, (X_WEIGHT + 1) * pitch + x
                dx0, dx1 = X_SLOPE * pitch + x, (X_SLOPE + 1) * pitch + x
                y0, y1 = Y_WEIGHT * pitch + x, (Y_WEIGHT + 1) * pitch + x
                dy0, dy1 = Y_SLOPE * pitch + x, (Y_SLOPE + 1) * pitch + x
                top = vload(fields, x0) * a + vload(fields, x1) * b
                bottom = vload(fields, x0) * d + vload(fields, x1) * e
                top_slope = vload(fields, dx0) * a + vload(fields, dx1) * b
                bottom_slope = vload(fields, dx0) * d + vload(fields, dx1) * e
                u = vload(fields, y0) * top_slope + vload(fields, y1) * bottom_slope
                v = vload(fields, dy0) * top + vload(fields, dy1) * bottom
                g = vload(line, x)
                vstore(total_u, x, vload(total_u, x) + g * u)
                vstore(total_v, x, vload(total_v, x) + g * v)
        for x in range(w):
            flow_grads[n, 0, y, x] = total_u[x]
            flow_grads[n, 1, y, x] = total_v[x]


PLANES = 4  # of an example, that image_gradient_planes goes through at once


@cached_njit
def image_gradient_planes(grads, flows, image_grads, size, border, start, stop):
    """Groups start to stop - 1 of PLANES planes of image_grads, flat, 0 before.

    grads: (N, C, H, W).
    """
    channels, h, w = size
    down, plane = np.uint64(_down(h, w)), h * w
    places, fields = new_samples(flows, w)
    pitch = len(places)
    corners = np.zeros((PLANES, 4 * pitch), grads.dtype)
    groups = (channels + PLANES - 1) // PLANES
    right = np.uint64(1)
    for group in range(start, stop):
        n, first = divmod(group, groups)
        first *= PLANES
        count = min(PLANES, channels - first)
        for y in range(h):
            sample_row(flows[n], y, (h, w), border, places, fields)
            for k in range(count):
                _weigh(grads[n, first + k, y], fields, corners[k], pitch)
            for x in range(w):
                for k in range(count):
                    at = np.uint64((n * channels + first + k) * plane) + places[x]
                    image_grads[at] += corners[k, x]
                    image_grads[at + right] += corners[k, x + pitch]
                    image_grads[at + down] += corners[k, x + 2 * pitch]
                    image_grads[at + down + right] += corners[k, x + 3 * pitch]


@njit(**INLINE)
def _weigh(grads, fields, corners, pitch):
    """What each pixel of a row adds to the four that it samples."""
    for x in range(len(grads)):
        corners[x] = grads[x]
    for x in range(0, pitch, LANES):
        g = vload(corners, x)
        for corner in range(4):
            i = corner * pitch + x
            value = g * vload(fields, WEIGHT * pitch + i)
            vstore(corners, i, vand(value, vload(fields, MASK * pitch + i)))
