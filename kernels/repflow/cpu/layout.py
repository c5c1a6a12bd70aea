"""How the CPU kernels lay maps out in memory, and what they read from them.

LANES planes lie side by side, so that each vector holds one pixel of LANES planes. A
lane is one channel of one clip and walks over its pairs of frames (or over a chunk of
them where there are few channels); all state of a group of lanes stays in the scratch
memory of a thread, in cache for the maps of a network.

Scratch memory ``s``: planes of ``grid.plane`` numbers, pixel (y, x) at
(y + 1) * pitch + (x + 1) * LANES with pitch = (W + 1) * LANES: one column and row of
zeros between and around the pixels. Offsets into it are called by what lies there.

In all kernels, s is the scratch memory, w the weights (rows of LANES numbers: theta *
divergence, flow and image kernel), i an index into s, and p, u, q where the plane of
such a quantity begins.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ..._common.simd import INLINE, JIT, LANES, vload, vsqrt, vstore, vtranspose
from ..reference import EPS

# Planes that hold what the iterations need of a pair of frames.
FRAME_A, FRAME_B, GX, GY, RHO, NEG_INV_G2 = range(6)
STATE_PLANES = 6  # u1, u2, p11, p12, p21, p22

# Rows of the weights.
W_DIV, W_FLOW = 0, 4
FLOW_TAPS = {"paper": 18, "tvl1": 4}
IMAGE_TAPS = {"paper": 18, "tvl1": 6}


class Grid(NamedTuple):
    """The planes of the scratch memory."""

    h: int
    width: int
    pitch: int
    plane: int


class Scheme(NamedTuple):
    """What is computed: lam * theta, tau / theta, which variant, and whether the
    flow kernel of ``paper`` is still Sobel's."""

    bound: float
    step: float
    paper: bool
    sobel: bool


def make_grid(h: int, width: int) -> Grid:
    """The Grid of maps of h x width pixels."""
    pitch = (width + 1) * LANES
    return Grid(h, width, pitch, (h + 2) * pitch + LANES)


@njit(**INLINE)
def row(grid, y):
    """Where row y of a plane starts and ends."""
    start = (y + 1) * grid.pitch + LANES
    return start, start + grid.width * LANES


@njit(**INLINE)
def weights4(w, first):
    """Four rows of the weights."""
    first *= LANES
    return (
        vload(w, first),
        vload(w, first + LANES),
        vload(w, first + 2 * LANES),
        vload(w, first + 3 * LANES),
    )


@njit(**INLINE)
def weights9(w, first):
    """Nine rows of the weights."""
    first *= LANES
    return (
        vload(w, first),
        vload(w, first + LANES),
        vload(w, first + 2 * LANES),
        vload(w, first + 3 * LANES),
        vload(w, first + 4 * LANES),
        vload(w, first + 5 * LANES),
        vload(w, first + 6 * LANES),
        vload(w, first + 7 * LANES),
        vload(w, first + 8 * LANES),
    )


@njit(**INLINE)
def neighbors9(s, i, pitch):
    """The 3 x 3 pixels around pixel i, row after row."""
    return (
        vload(s, i - pitch - LANES),
        vload(s, i - pitch),
        vload(s, i - pitch + LANES),
        vload(s, i - LANES),
        vload(s, i),
        vload(s, i + LANES),
        vload(s, i + pitch - LANES),
        vload(s, i + pitch),
        vload(s, i + pitch + LANES),
    )


@njit(**INLINE)
def dot9(a, b):
    """Scalar product of two times nine vectors."""
    return (
        (a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
        + (a[3] * b[3] + a[4] * b[4] + a[5] * b[5])
        + (a[6] * b[6] + a[7] * b[7] + a[8] * b[8])
    )


@njit(**INLINE)
def sobel_column(s, i, pitch):
    """Of the three pixels around i in a column: their smoothed sum, the difference."""
    above, below = vload(s, i - pitch), vload(s, i + pitch)
    return (above + below) + vload(s, i) * s.dtype.type(2), below - above


@njit(**INLINE)
def sobel(left, own, right):
    """Sobel's two derivatives from three columns of :func:`sobel_column`."""
    return right[0] - left[0], (left[1] + right[1]) + (own[1] + own[1])


@njit(**INLINE)
def central_kind(index, size):
    """Which difference tvl1's image gradient takes: see note 2 of reference.py.

    0: none, 1: of F1 to the next pixel, 2: of F1 to the one before, 3: taps of F2.
    """
    if size == 1:
        return 0
    if index == 0:
        return 1
    if index == size - 1:
        return 2
    return 3


@njit(**INLINE)
def constants(s, w, step):
    """Vectors of 0, 1, EPS and step."""
    zero = vload(w, 0) * s.dtype.type(0)
    return zero, zero + s.dtype.type(1), zero + s.dtype.type(EPS), zero + step


@njit(**INLINE)
def flow_taps_tvl1(w, grid, y, zero):
    """tvl1's taps of the gradient of u; in the last row there is no pixel below."""
    x0, x1, y0, y1 = weights4(w, W_FLOW)
    if y == grid.h - 1:
        y0 = y1 = zero
    return x0, x1, y0, y1


@njit(**INLINE)
def length(q1, q2, eps):
    """|grad u|, smoothed."""
    return vsqrt(q1 * q1 + q2 * q2 + eps)


@njit(**INLINE)
def largest(lanes, column):
    """The largest number in a column of ``lanes``."""
    value = lanes[0, column]
    for lane in range(1, LANES):
        value = max(value, lanes[lane, column])
    return value


@njit(**INLINE)
def _is_dense(strides, lanes, time, less, grid):
    """Whether all lanes have a map at ``time``, whose pixels follow one another."""
    for lane in range(LANES):
        if time >= lanes[lane, 3] - less:
            return False
    rows = strides[4] == 1 and (strides[3] == grid.width or grid.h == 1)
    return rows and grid.h * grid.width >= LANES


@njit(**INLINE)
def _copy_dense(s, plane, maps, strides, lanes, channel, time, grid, to_maps):
    """Copy all lanes' maps from a plane, or to it, LANES pixels at a time."""
    lane_at, pixel_at = np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    for lane in range(LANES):
        n, c, first, _ = lanes[lane]
        lane_at[lane] = n * strides[0] + (c + channel) * strides[1]
        lane_at[lane] += (first + time) * strides[2]
    size = grid.h * grid.width
    for block in range(0, size, LANES):
        first = min(block, size - LANES)  # the last block may overlap the one before
        for k in range(LANES):
            pixel = first + k
            pixel_at[k] = (pixel + pixel // grid.width) * LANES
        pixels = pixel_at, plane + grid.pitch + LANES
        if to_maps:
            vtranspose(s, pixels, maps, (lane_at, first))
        else:
            vtranspose(maps, (lane_at, first), s, pixels)


@njit(**JIT)
def pack(s, to, source, strides, lanes, channel, time, less, grid):
    """Copy the lanes' maps at ``time`` of their chunks, 0 past a chunk's end.

    source, strides: storage and strides of (N, C, T, H, W). lanes: (LANES, 4), rows n,
    c, first frame, number of frames. channel: added to a lane's. less: by how much a
    chunk's end comes earlier.
    """
    if _is_dense(strides, lanes, time, less, grid):
        _copy_dense(s, to, source, strides, lanes, channel, time, grid, False)
        return
    for lane in range(LANES):
        n, c, first, frames = lanes[lane]
        if time < frames - less:
            offset = n * strides[0] + (c + channel) * strides[1]
            offset += (first + time) * strides[2]
            for y in range(grid.h):
                i = to + (y + 1) * grid.pitch + LANES + lane
                line = offset + y * strides[3]
                for x in range(grid.width):
                    s[i + x * LANES] = source[line + x * strides[4]]
        else:
            for y in range(grid.h):
                i = to + (y + 1) * grid.pitch + LANES + lane
                for x in range(grid.width):
                    s[i + x * LANES] = 0


@njit(**JIT)
def unpack_lane(s, at, target, strides, lane, n, c, time, grid):
    """Copy the map of one lane to (n, c, time) of target."""
    offset = n * strides[0] + c * strides[1] + time * strides[2]
    for y in range(grid.h):
        i = at + (y + 1) * grid.pitch + LANES + lane
        line = offset + y * strides[3]
        for x in range(grid.width):
            target[line + x * strides[4]] = s[i + x * LANES]


@njit(**JIT)
def unpack(s, at, target, strides, lanes, channel, time, less, grid):
    """The reverse of :func:`pack`; past a chunk's end nothing is written."""
    if _is_dense(strides, lanes, time, less, grid):
        _copy_dense(s, at, target, strides, lanes, channel, time, grid, True)
        return
    for lane in range(LANES):
        n, c, first, frames = lanes[lane]
        if time < frames - less:
            unpack_lane(
                s, at, target, strides, lane, n, c + channel, first + time, grid
            )


@njit(**INLINE)
def add(s, i, value):
    """Add to pixel i."""
    vstore(s, i, vload(s, i) + value)
