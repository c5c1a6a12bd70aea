"""Backward bilinear warp on the CPU: the kernels, in Numba.

sampling.py says how images are laid out. size: C, H, W. The image's gradient is a
scatter that one thread does for some planes in the order of their pixels: results
repeat bit by bit.
"""

import numpy as np
from numba import njit

from ..._common.sampling import (
    MASK,
    WEIGHT,
    below,
    new_samples,
    sample_row,
    samples,
    samples_and_slopes,
    vand,
)
from ..._common.simd import INLINE, LANES, cached_njit, vload, vstore
from ..._common.vector_memory import copy


@cached_njit
def forward_rows(images, flows, outs, size, border, start, stop):
    """Rows start to stop - 1 of outs, flat, counted through all examples."""
    channels, h, w = size
    one = flows.dtype.type(1)
    down, plane = below(h, w), h * w
    places, fields = new_samples(flows, w)
    rest = np.empty(LANES, images.dtype)
    whole = w // LANES * LANES
    for row in range(start, stop):
        n, y = divmod(row, h)
        sample_row(flows[n], one, y, (h, w), border, places, fields)
        for c in range(channels):
            base = (n * channels + c) * plane
            to = base + y * w
            for x in range(0, whole, LANES):
                value = samples(images, base, down, places, fields, x)
                vstore(outs, to + x, value)
            if whole < w:
                value = samples(images, base, down, places, fields, whole)
                vstore(rest, 0, value)
                copy(rest, 0, outs, to + whole, w - whole)


@cached_njit
def flow_gradient_rows(grads, images, flows, flow_grads, size, border, start, stop):
    """Rows start to stop - 1 of flow_grads (N, 2, H, W), counted through all examples.

    grads: (N, C, H, W).
    """
    channels, h, w = size
    one = flows.dtype.type(1)
    down, plane = below(h, w), h * w
    places, fields = new_samples(flows, w)
    pitch = len(places)
    line, total_u, total_v = np.zeros((3, pitch), images.dtype)
    for row in range(start, stop):
        n, y = divmod(row, h)
        sample_row(flows[n], one, y, (h, w), border, places, fields)
        total_u[:] = 0
        total_v[:] = 0
        for c in range(channels):
            base = (n * channels + c) * plane
            copy(grads, base + y * w, line, 0, w)
            for x in range(0, pitch, LANES):
                _, u, v = samples_and_slopes(images, base, down, places, fields, x)
                g = vload(line, x)
                vstore(total_u, x, vload(total_u, x) + g * u)
                vstore(total_v, x, vload(total_v, x) + g * v)
        to = (2 * n * h + y) * w
        copy(total_u, 0, flow_grads, to, w)
        copy(total_v, 0, flow_grads, to + plane, w)


PLANES = 4  # of an example, that image_gradient_planes goes through at once


@cached_njit
def image_gradient_planes(grads, flows, image_grads, size, border, start, stop):
    """Groups start to stop - 1 of PLANES planes of image_grads, flat, 0 before.

    grads: (N, C, H, W).
    """
    channels, h, w = size
    one = flows.dtype.type(1)
    down, plane = np.uint64(below(h, w)), h * w
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
            sample_row(flows[n], one, y, (h, w), border, places, fields)
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
    copy(grads, 0, corners, 0, len(grads))
    for x in range(0, pitch, LANES):
        g = vload(corners, x)
        for corner in range(4):
            i = corner * pitch + x
            value = g * vload(fields, WEIGHT * pitch + i)
            vstore(corners, i, vand(value, vload(fields, MASK * pitch + i)))
