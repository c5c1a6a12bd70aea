"""Representation flow on the CPU: the iteration and the forward pass, in Numba.

``old`` and ``new`` are where the states before and after an iteration begin. s, w, i,
p, u, q: see layout.py.
"""

import numpy as np
from numba import njit

from ..._common.simd import (
    INLINE,
    JIT,
    LANES,
    cached_njit,
    vclamp,
    vload,
    vsplat,
    vstore,
)
from ..reference import EPS
from .layout import (
    FRAME_A,
    FRAME_B,
    GX,
    GY,
    NEG_INV_G2,
    RHO,
    STATE_PLANES,
    W_DIV,
    W_FLOW,
    central_kind,
    constants,
    dot9,
    flow_taps_tvl1,
    largest,
    length,
    make_grid,
    neighbors9,
    pack,
    row,
    sobel,
    sobel_column,
    unpack,
    weights4,
    weights9,
)

STATE = 6  # the first plane of the one state
FORWARD_PLANES = STATE + STATE_PLANES

grid_of = njit(**INLINE)(make_grid)


@njit(**JIT)
def u_row(s, w, old, new, y, grid, bound):
    """One row of u from the old u and p: Eq. 1 to 4."""
    plane, pitch = grid.plane, grid.pitch
    x0, x1, y0, y1 = weights4(w, W_DIV)
    limit = vsplat(bound)
    left11 = left21 = x0 * s.dtype.type(0)
    start, end = row(grid, y)
    for i in range(start, end, LANES):
        u1, u2 = vload(s, old + i), vload(s, old + plane + i)
        gx, gy = vload(s, GX * plane + i), vload(s, GY * plane + i)
        rho = vload(s, RHO * plane + i) + gx * u1 + gy * u2
        k = vclamp(rho * vload(s, NEG_INV_G2 * plane + i), limit)
        p = old + 2 * plane + i
        p11, p12 = vload(s, p), vload(s, p + plane)
        p21, p22 = vload(s, p + 2 * plane), vload(s, p + 3 * plane)
        up12, up22 = vload(s, p + plane - pitch), vload(s, p + 3 * plane - pitch)
        u1 = (u1 + k * gx) + ((x0 * left11 + x1 * p11) + (y0 * up12 + y1 * p12))
        u2 = (u2 + k * gy) + ((x0 * left21 + x1 * p21) + (y0 * up22 + y1 * p22))
        vstore(s, new + i, u1)
        vstore(s, new + plane + i, u2)
        left11, left21 = p11, p21


@njit(**INLINE)
def _dual_update(s, p, p_new, i, plane, q, step, one, eps):
    """The four new p at pixel i from the old ones and the gradients q of u (Eq. 5)."""
    q11, q12, q21, q22 = q
    a = one + step * length(q11, q12, eps)
    b = one + step * length(q21, q22, eps)
    both = one / (a * b)  # one division instead of two
    inverse = both * b
    vstore(s, p_new + i, (vload(s, p + i) + step * q11) * inverse)
    i += plane
    vstore(s, p_new + i, (vload(s, p + i) + step * q12) * inverse)
    i += plane
    inverse = both * a
    vstore(s, p_new + i, (vload(s, p + i) + step * q21) * inverse)
    i += plane
    vstore(s, p_new + i, (vload(s, p + i) + step * q22) * inverse)


@njit(**JIT)
def p_row_tvl1(s, w, old, new, y, grid, step):
    """One row of p from the new u (Eq. 5), forward differences."""
    plane, pitch = grid.plane, grid.pitch
    zero, one, eps, step = constants(s, w, step)
    x0, x1, y0, y1 = flow_taps_tvl1(w, grid, y, zero)
    start, end = row(grid, y)
    u, v = new, new + plane
    p, p_new = old + 2 * plane, new + 2 * plane
    own_u, own_v = vload(s, u + start), vload(s, v + start)
    for i in range(start, end, LANES):
        right_u, right_v = vload(s, u + i + LANES), vload(s, v + i + LANES)
        q11, q21 = x0 * own_u + x1 * right_u, x0 * own_v + x1 * right_v
        q12 = y0 * own_u + y1 * vload(s, u + i + pitch)
        q22 = y0 * own_v + y1 * vload(s, v + i + pitch)
        if i == end - LANES:  # no pixel to the right
            q11 = q21 = zero
        _dual_update(s, p, p_new, i, plane, (q11, q12, q21, q22), step, one, eps)
        own_u, own_v = right_u, right_v


@njit(**JIT)
def p_row_paper(s, w, old, new, y, grid, step):
    """One row of p from the new u (Eq. 5), 3x3 kernels."""
    plane = grid.plane
    _, one, eps, step = constants(s, w, step)
    wx, wy = weights9(w, W_FLOW), weights9(w, W_FLOW + 9)
    start, end = row(grid, y)
    p, p_new = old + 2 * plane, new + 2 * plane
    for i in range(start, end, LANES):
        around_u = neighbors9(s, new + i, grid.pitch)
        around_v = neighbors9(s, new + plane + i, grid.pitch)
        q = (
            dot9(wx, around_u),
            dot9(wy, around_u),
            dot9(wx, around_v),
            dot9(wy, around_v),
        )
        _dual_update(s, p, p_new, i, plane, q, step, one, eps)


@njit(**JIT)
def p_row_sobel(s, w, old, new, y, grid, step):
    """p_row_paper for Sobel's filters, each column of u summed once."""
    plane, pitch = grid.plane, grid.pitch
    _, one, eps, step = constants(s, w, step)
    start, end = row(grid, y)
    p, p_new = old + 2 * plane, new + 2 * plane
    u, v = new, new + plane
    left_u = sobel_column(s, u + start - LANES, pitch)
    left_v = sobel_column(s, v + start - LANES, pitch)
    own_u, own_v = sobel_column(s, u + start, pitch), sobel_column(s, v + start, pitch)
    for i in range(start, end, LANES):
        right_u = sobel_column(s, u + i + LANES, pitch)
        right_v = sobel_column(s, v + i + LANES, pitch)
        q = sobel(left_u, own_u, right_u) + sobel(left_v, own_v, right_v)
        _dual_update(s, p, p_new, i, plane, q, step, one, eps)
        left_u, own_u, left_v, own_v = own_u, right_u, own_v, right_v


@njit(**JIT)
def iterate(s, w, old, new, grid, scheme, with_p):
    """One iteration from state ``old`` to state ``new``, which may be the same."""
    for y in range(grid.h + 1):
        if y < grid.h:
            u_row(s, w, old, new, y, grid, scheme.bound)
        if y > 0 and with_p:  # the row above, whose lower neighbors are now there
            if scheme.sobel:
                p_row_sobel(s, w, old, new, y - 1, grid, scheme.step)
            elif scheme.paper:
                p_row_paper(s, w, old, new, y - 1, grid, scheme.step)
            else:
                p_row_tvl1(s, w, old, new, y - 1, grid, scheme.step)


@njit(**INLINE)
def _central(s, w, tap, f1, f2, i, stride, index, size):
    """tvl1's image gradient along one axis."""
    half = s.dtype.type(0.5)
    kind = central_kind(index, size)
    if kind == 0:
        return vload(s, f2 + i) * s.dtype.type(0)
    if kind == 1:
        return (vload(s, f1 + i + stride) - vload(s, f1 + i)) * half
    if kind == 2:
        return (vload(s, f1 + i) - vload(s, f1 + i - stride)) * half
    return (
        vload(w, tap * LANES) * vload(s, f2 + i - stride)
        + vload(w, (tap + 1) * LANES) * vload(s, f2 + i)
        + vload(w, (tap + 2) * LANES) * vload(s, f2 + i + stride)
    )


@njit(**JIT)
def coefficients(s, w, f1, f2, grid, paper):
    """What the iterations need of a pair of frames: Eq. 8 and its square, rho_c."""
    plane, pitch = grid.plane, grid.pitch
    one, eps = s.dtype.type(1), s.dtype.type(EPS)
    tap = W_FLOW + (18 if paper else 4)
    for y in range(grid.h):
        for x in range(grid.width):
            i = (y + 1) * pitch + (x + 1) * LANES
            if paper:
                around = neighbors9(s, f2 + i, pitch)
                gx = dot9(weights9(w, tap), around)
                gy = dot9(weights9(w, tap + 9), around)
            else:
                gx = _central(s, w, tap, f1, f2, i, LANES, x, grid.width)
                gy = _central(s, w, tap + 3, f1, f2, i, pitch, y, grid.h)
            vstore(s, GX * plane + i, gx)
            vstore(s, GY * plane + i, gy)
            vstore(s, RHO * plane + i, vload(s, f2 + i) - vload(s, f1 + i))
            vstore(s, NEG_INV_G2 * plane + i, -one / (gx * gx + gy * gy + eps))


@cached_njit
def forward_group(x, out, initial, lanes, w, scheme, size, n_iters, s):
    """All pairs of frames of one group of lanes.

    x, out, initial: storage and strides; initial is the flow to begin with, (N, 2C,
    T - 1, H, W), or a single element for none. lanes: (LANES, 4) rows n, c, first
    frame, number of frames (0 for a lane without work). w: weights. size: C, H, W. s:
    scratch memory of FORWARD_PLANES, all 0 before its first use.
    """
    channels, h, width = size
    grid = grid_of(h, width)
    plane = grid.plane
    state = STATE * plane
    f1, f2 = FRAME_A * plane, FRAME_B * plane
    no, one = np.int64(0), np.int64(1)  # Numba compiles anew for each literal number
    pack(s, f1, x[0], x[1], lanes, no, no, no, grid)
    for pair in range(largest(lanes, 3) - 1):
        pack(s, f2, x[0], x[1], lanes, no, pair + 1, no, grid)
        coefficients(s, w, f1, f2, grid, scheme.paper)
        s[state:] = 0
        if initial[0].size > 1:
            pack(s, state, initial[0], initial[1], lanes, no, pair, one, grid)
            v = state + plane
            pack(s, v, initial[0], initial[1], lanes, channels, pair, one, grid)
        for iteration in range(n_iters):
            iterate(s, w, state, state, grid, scheme, iteration < n_iters - 1)
        unpack(s, state, out[0], out[1], lanes, no, pair, one, grid)
        unpack(s, state + plane, out[0], out[1], lanes, channels, pair, one, grid)
        f1, f2 = f2, f1
