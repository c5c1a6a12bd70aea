"""Representation flow on the CPU: fused forward and backward, in Numba.

LANES planes lie side by side, so that each vector holds one pixel of LANES planes. A
lane is one channel of one clip and walks over its pairs of frames (or over a chunk of
them where there are few channels); all state of a group of lanes stays in the scratch
memory of a thread, in cache for the maps of a network.

Scratch layout: planes of ``size`` numbers, pixel (y, x) at (y + 1) * pitch +
(x + 1) * LANES with pitch = (W + 1) * LANES: one column and row of zeros between and
around the pixels. Offsets into it are called by what lies there.

The backward pass recomputes: it stores the states of one segment of iterations, and
the first state of every segment where there are several. Its sums over pixels are kept
in float64 per lane and added up in a fixed order: results repeat bit by bit.
"""

import math

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .._common.simd import (
    INLINE,
    JIT,
    LANES,
    cached_njit,
    vaccumulate,
    vclamp,
    vload,
    vsplat,
    vsqrt,
    vstore,
    vwhere_inside,
    vwhere_outside,
)
from .._common.threads import run_tasks
from .partial_sums import parameter_gradients
from .reference import EPS

# Planes of the forward pass, before its one state.
FRAME_A, FRAME_B, GX, GY, RHO, NEG_INV_G2 = range(6)
FORWARD_PLANES = 6
# Planes of the backward pass, before its states. The names are those of the
# forward values of which they hold the gradient.
(U1_OLD, U2_OLD, U1_NEW, U2_NEW) = range(6, 10)
(P11, P12, P21, P22, Q11, Q12, Q21, Q22) = range(10, 18)
RHO_GRAD, GX_GRAD, GY_GRAD, FRAME_A_GRAD, FRAME_B_GRAD = range(18, 23)
BACKWARD_PLANES = 23
STATE_PLANES = 6  # u1, u2, p11, p12, p21, p22

# Rows of the weight table, LANES numbers each, and of the sums.
W_DIV, W_FLOW = 0, 4
SUM_STEP, SUM_BOUND, SUM_DIV, SUM_FLOW = 0, 1, 2, 6
FLOW_TAPS = {"paper": 18, "tvl1": 4}
IMAGE_TAPS = {"paper": 18, "tvl1": 6}

# Memory for the recomputed states of one thread. More than the second-level cache of
# most CPUs, because one iteration more costs more than a trip to the third level.
STATE_BYTES = 2 << 20


@njit(**INLINE)
def _weights9(w, first):
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
def _neighbours9(s, i, pitch):
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
def _dot9(a, b):
    return (
        (a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
        + (a[3] * b[3] + a[4] * b[4] + a[5] * b[5])
        + (a[6] * b[6] + a[7] * b[7] + a[8] * b[8])
    )


@njit(**INLINE)
def _reversed_dot9(a, b):
    return (
        (a[8] * b[0] + a[7] * b[1] + a[6] * b[2])
        + (a[5] * b[3] + a[4] * b[4] + a[3] * b[5])
        + (a[2] * b[6] + a[1] * b[7] + a[0] * b[8])
    )


@njit(**INLINE)
def _shrink(s, p, i, plane, q1, q2, step, one, eps):
    """The update of (p_1, p_2) at pixel i from the gradient q of u."""
    inverse = one / (one + step * vsqrt(q1 * q1 + q2 * q2 + eps))
    return (
        (vload(s, p + i) + step * q1) * inverse,
        (vload(s, p + plane + i) + step * q2) * inverse,
    )


@njit(**JIT)
def _u_row(s, w, old, new, plane, start, end, pitch, bound):
    """One row of u from the old u and p: Eq. 1 to 4."""
    x0, x1 = vload(w, 0), vload(w, LANES)
    y0, y1 = vload(w, 2 * LANES), vload(w, 3 * LANES)
    limit = vsplat(bound)
    left11 = left21 = x0 * s.dtype.type(0)
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


@njit(**JIT)
def _p_row_tvl1(s, w, old, new, plane, start, end, pitch, step, last_row):
    """One row of p from the new u (Eq. 5), forward differences."""
    zero = vload(w, 0) * s.dtype.type(0)
    one, eps = zero + s.dtype.type(1), zero + s.dtype.type(EPS)
    step = vsplat(step)
    x0, x1 = vload(w, W_FLOW * LANES), vload(w, (W_FLOW + 1) * LANES)
    y0, y1 = vload(w, (W_FLOW + 2) * LANES), vload(w, (W_FLOW + 3) * LANES)
    if last_row:
        y0 = y1 = zero
    last = end - LANES
    for component in range(2):
        u = new + component * plane
        p = old + (2 + 2 * component) * plane
        p_new = new + (2 + 2 * component) * plane
        own = vload(s, u + start)
        for i in range(start, last, LANES):
            right = vload(s, u + i + LANES)
            q1 = x0 * own + x1 * right
            q2 = y0 * own + y1 * vload(s, u + i + pitch)
            p1, p2 = _shrink(s, p, i, plane, q1, q2, step, one, eps)
            vstore(s, p_new + i, p1)
            vstore(s, p_new + plane + i, p2)
            own = right
        q2 = y0 * own + y1 * vload(s, u + last + pitch)
        p1, p2 = _shrink(s, p, last, plane, zero, q2, step, one, eps)
        vstore(s, p_new + last, p1)
        vstore(s, p_new + plane + last, p2)


@njit(**JIT)
def _p_row_paper(s, w, old, new, plane, start, end, pitch, step):
    """One row of p from the new u (Eq. 5), 3x3 kernels."""
    zero = vload(w, 0) * s.dtype.type(0)
    one, eps = zero + s.dtype.type(1), zero + s.dtype.type(EPS)
    step = vsplat(step)
    wx, wy = _weights9(w, W_FLOW), _weights9(w, W_FLOW + 9)
    for component in range(2):
        u = new + component * plane
        p = old + (2 + 2 * component) * plane
        p_new = new + (2 + 2 * component) * plane
        for i in range(start, end, LANES):
            around = _neighbours9(s, u + i, pitch)
            q1, q2 = _dot9(wx, around), _dot9(wy, around)
            p1, p2 = _shrink(s, p, i, plane, q1, q2, step, one, eps)
            vstore(s, p_new + i, p1)
            vstore(s, p_new + plane + i, p2)


@njit(**JIT)
def _iterate(s, w, old, new, plane, h, pitch, bound, step, paper, with_p):
    """One iteration from state ``old`` to state ``new``, which may be the same."""
    width = pitch - LANES
    for y in range(h + 1):
        if y < h:
            start = (y + 1) * pitch + LANES
            _u_row(s, w, old, new, plane, start, start + width, pitch, bound)
        if y > 0 and with_p:
            start = y * pitch + LANES
            end = start + width
            if paper:
                _p_row_paper(s, w, old, new, plane, start, end, pitch, step)
            else:
                last_row = y == h
                _p_row_tvl1(s, w, old, new, plane, start, end, pitch, step, last_row)


@njit(**JIT)
def _coefficients_at(s, f1, f2, i, plane, gx, gy):
    one = s.dtype.type(1)
    vstore(s, GX * plane + i, gx)
    vstore(s, GY * plane + i, gy)
    vstore(s, RHO * plane + i, vload(s, f2 + i) - vload(s, f1 + i))
    g2 = gx * gx + gy * gy + s.dtype.type(EPS)
    vstore(s, NEG_INV_G2 * plane + i, -one / g2)


@njit(**INLINE)
def _central(s, w, tap, f1, f2, i, stride, place, size):
    """tvl1's image gradient along one axis; see note 2 of reference.py."""
    half = s.dtype.type(0.5)
    if size == 1:
        return vload(s, f2 + i) * s.dtype.type(0)
    if place == 0:
        return (vload(s, f1 + i + stride) - vload(s, f1 + i)) * half
    if place == size - 1:
        return (vload(s, f1 + i) - vload(s, f1 + i - stride)) * half
    return (
        vload(w, tap * LANES) * vload(s, f2 + i - stride)
        + vload(w, (tap + 1) * LANES) * vload(s, f2 + i)
        + vload(w, (tap + 2) * LANES) * vload(s, f2 + i + stride)
    )


@njit(**JIT)
def _coefficients(s, w, f1, f2, plane, h, width, pitch, paper):
    """What the iterations need of a pair of frames: Eq. 8 and its square, rho_c."""
    tap = W_FLOW + (18 if paper else 4)
    for y in range(h):
        for x in range(width):
            i = (y + 1) * pitch + (x + 1) * LANES
            if paper:
                around = _neighbours9(s, f2 + i, pitch)
                gx = _dot9(_weights9(w, tap), around)
                gy = _dot9(_weights9(w, tap + 9), around)
            else:
                gx = _central(s, w, tap, f1, f2, i, LANES, x, width)
                gy = _central(s, w, tap + 3, f1, f2, i, pitch, y, h)
            _coefficients_at(s, f1, f2, i, plane, gx, gy)


@njit(**JIT)
def _pack(s, to, source, strides, lanes, channel, time, less, h, width, pitch):
    """Copy the lanes' maps at ``time`` of their chunks, 0 past a chunk's end.

    channel: added to a lane's. less: by how much a chunk's end comes earlier.
    """
    for lane in range(LANES):
        n, c, first, frames = lanes[lane]
        if time < frames - less:
            offset = n * strides[0] + (c + channel) * strides[1]
            offset += (first + time) * strides[2]
            for y in range(h):
                i = to + (y + 1) * pitch + LANES + lane
                row = offset + y * strides[3]
                for x in range(width):
                    s[i + x * LANES] = source[row + x * strides[4]]
        else:
            for y in range(h):
                i = to + (y + 1) * pitch + LANES + lane
                for x in range(width):
                    s[i + x * LANES] = 0


@njit(**JIT)
def _unpack_lane(s, at, target, strides, lane, n, c, time, h, width, pitch):
    offset = n * strides[0] + c * strides[1] + time * strides[2]
    for y in range(h):
        i = at + (y + 1) * pitch + LANES + lane
        row = offset + y * strides[3]
        for x in range(width):
            target[row + x * strides[4]] = s[i + x * LANES]


@cached_njit
def _forward_group(x, xs, out, os, lanes, w, bound, step, size, n_iters, paper, s):
    """All pairs of frames of one group of lanes.

    x, out: storage with strides xs, os. lanes: (LANES, 4) rows n, c, first frame,
    number of frames (0 for a lane without work). size: C, H, W. s: scratch.
    """
    channels, h, width = size
    pitch = (width + 1) * LANES
    plane = (h + 2) * pitch + LANES
    state = FORWARD_PLANES * plane
    s[:] = 0
    f1, f2 = FRAME_A * plane, FRAME_B * plane
    _pack(s, f1, x, xs, lanes, 0, 0, 0, h, width, pitch)
    for pair in range(lanes[:, 3].max() - 1):
        _pack(s, f2, x, xs, lanes, 0, pair + 1, 0, h, width, pitch)
        _coefficients(s, w, f1, f2, plane, h, width, pitch, paper)
        s[state:] = 0
        for iteration in range(n_iters):
            with_p = iteration < n_iters - 1
            _iterate(s, w, state, state, plane, h, pitch, bound, step, paper, with_p)
        for lane in range(LANES):
            n, c, first, frames = lanes[lane]
            if pair + 1 < frames:
                time = first + pair
                _unpack_lane(s, state, out, os, lane, n, c, time, h, width, pitch)
                u2, c2 = state + plane, c + channels
                _unpack_lane(s, u2, out, os, lane, n, c2, time, h, width, pitch)
        f1, f2 = f2, f1


@njit(**INLINE)
def _dual_at(s, i, plane, component, p, q1, q2, step, eps, total):
    """Adjoint of _shrink at pixel i; returns the gradients of q1 and q2, and total."""
    one = s.dtype.type(1)
    root = vsqrt(q1 * q1 + q2 * q2 + eps)
    d = one + step * root
    both = one / (root * d)
    inv_d, inv_root = both * root, both * d
    g = (P11 + 2 * component) * plane + i
    g1, g2 = vload(s, g) * inv_d, vload(s, g + plane) * inv_d
    d_grad = g1 * vload(s, p + i) + g2 * vload(s, p + plane + i)
    vstore(s, g, g1)
    vstore(s, g + plane, g2)
    total = total + (g1 * q1 + g2 * q2 - d_grad * root)
    along = d_grad * inv_root
    return step * (g1 - along * q1), step * (g2 - along * q2), total


@njit(**JIT)
def _dual_row_tvl1(s, w, new, plane, start, end, pitch, step, last_row, sums):
    """Adjoint of _p_row_tvl1: gradients of p turn into those of old p and of q."""
    zero = vload(w, 0) * s.dtype.type(0)
    eps = zero + s.dtype.type(EPS)
    step = vsplat(step)
    x0, x1 = vload(w, W_FLOW * LANES), vload(w, (W_FLOW + 1) * LANES)
    y0, y1 = vload(w, (W_FLOW + 2) * LANES), vload(w, (W_FLOW + 3) * LANES)
    if last_row:
        y0 = y1 = zero
    last = end - LANES
    total = zero
    for component in range(2):
        u = new + component * plane
        p = new + (2 + 2 * component) * plane
        q = (Q11 + 2 * component) * plane
        own = vload(s, u + start)
        for i in range(start, last, LANES):
            right = vload(s, u + i + LANES)
            q1 = x0 * own + x1 * right
            q2 = y0 * own + y1 * vload(s, u + i + pitch)
            q1, q2, total = _dual_at(
                s, i, plane, component, p, q1, q2, step, eps, total
            )
            vstore(s, q + i, q1)
            vstore(s, q + plane + i, q2)
            own = right
        q2 = y0 * own + y1 * vload(s, u + last + pitch)
        q1, q2, total = _dual_at(
            s, last, plane, component, p, zero, q2, step, eps, total
        )
        vstore(s, q + last, zero)
        vstore(s, q + plane + last, q2)
        if last_row:
            for i in range(start, end, LANES):
                vstore(s, q + plane + i, zero)
    vaccumulate(sums, SUM_STEP * LANES, total)


@njit(**JIT)
def _dual_row_paper(s, w, new, plane, start, end, pitch, step, sums):
    """Adjoint of _p_row_paper."""
    zero = vload(w, 0) * s.dtype.type(0)
    eps = zero + s.dtype.type(EPS)
    step = vsplat(step)
    wx, wy = _weights9(w, W_FLOW), _weights9(w, W_FLOW + 9)
    total = zero
    for component in range(2):
        u = new + component * plane
        p = new + (2 + 2 * component) * plane
        q = (Q11 + 2 * component) * plane
        for i in range(start, end, LANES):
            around = _neighbours9(s, u + i, pitch)
            q1, q2 = _dot9(wx, around), _dot9(wy, around)
            q1, q2, total = _dual_at(
                s, i, plane, component, p, q1, q2, step, eps, total
            )
            vstore(s, q + i, q1)
            vstore(s, q + plane + i, q2)
    vaccumulate(sums, SUM_STEP * LANES, total)


@njit(**JIT)
def _new_u_row(s, w, plane, start, end, pitch, paper, first):
    """Gradient of the new u: what it had, and the adjoint of the gradient of u."""
    for component in range(2):
        u_old = (U1_OLD + component) * plane
        u_new = (U1_NEW + component) * plane
        q1 = (Q11 + 2 * component) * plane
        q2 = q1 + plane
        if first:
            for i in range(start, end, LANES):
                vstore(s, u_new + i, vload(s, u_old + i))
        elif paper:
            wx, wy = _weights9(w, W_FLOW), _weights9(w, W_FLOW + 9)
            for i in range(start, end, LANES):
                total = _reversed_dot9(wx, _neighbours9(s, q1 + i, pitch))
                total = total + _reversed_dot9(wy, _neighbours9(s, q2 + i, pitch))
                vstore(s, u_new + i, vload(s, u_old + i) + total)
        else:
            x0, x1 = vload(w, W_FLOW * LANES), vload(w, (W_FLOW + 1) * LANES)
            y0, y1 = vload(w, (W_FLOW + 2) * LANES), vload(w, (W_FLOW + 3) * LANES)
            for i in range(start, end, LANES):
                total = x0 * vload(s, q1 + i) + x1 * vload(s, q1 + i - LANES)
                total = total + y0 * vload(s, q2 + i)
                total = total + y1 * vload(s, q2 + i - pitch)
                vstore(s, u_new + i, vload(s, u_old + i) + total)


@njit(**JIT)
def _old_u_row(s, old, plane, start, end, bound, need_maps, sums):
    """Adjoint of _u_row with respect to the old u, the maps and the bound."""
    two = s.dtype.type(2)
    limit = vsplat(bound)
    total = limit * s.dtype.type(0)
    for i in range(start, end, LANES):
        u1, u2 = vload(s, old + i), vload(s, old + plane + i)
        gx, gy = vload(s, GX * plane + i), vload(s, GY * plane + i)
        neg_inv_g2 = vload(s, NEG_INV_G2 * plane + i)
        r = (vload(s, RHO * plane + i) + gx * u1 + gy * u2) * neg_inv_g2
        g1, g2 = vload(s, U1_NEW * plane + i), vload(s, U2_NEW * plane + i)
        k_grad = g1 * gx + g2 * gy
        rho_grad = vwhere_inside(r, limit, k_grad) * neg_inv_g2
        total = total + vwhere_outside(r, limit, k_grad)
        vstore(s, U1_OLD * plane + i, g1 + rho_grad * gx)
        vstore(s, U2_OLD * plane + i, g2 + rho_grad * gy)
        if need_maps:
            k = vclamp(r, limit)
            j = RHO_GRAD * plane + i
            vstore(s, j, vload(s, j) + rho_grad)
            j = GX_GRAD * plane + i
            change = k * g1 + rho_grad * (u1 + two * k * gx)
            vstore(s, j, vload(s, j) + change)
            j = GY_GRAD * plane + i
            change = k * g2 + rho_grad * (u2 + two * k * gy)
            vstore(s, j, vload(s, j) + change)
    vaccumulate(sums, SUM_BOUND * LANES, total)


@njit(**JIT)
def _old_p_row(s, w, plane, start, end, pitch):
    """Adjoint of the divergence, added to the gradients of the old p."""
    x0, x1 = vload(w, 0), vload(w, LANES)
    y0, y1 = vload(w, 2 * LANES), vload(w, 3 * LANES)
    for component in range(2):
        u = (U1_NEW + component) * plane
        p1 = (P11 + 2 * component) * plane
        p2 = p1 + plane
        own = vload(s, u + start)
        for i in range(start, end, LANES):
            right = vload(s, u + i + LANES)
            down = vload(s, u + i + pitch)
            vstore(s, p1 + i, vload(s, p1 + i) + (x1 * own + x0 * right))
            vstore(s, p2 + i, vload(s, p2 + i) + (y1 * own + y0 * down))
            own = right


@njit(**JIT)
def _div_sums_row(s, old, plane, start, end, pitch, sums):
    """Sums of gradient of u times p, for the divergence kernel and theta."""
    zero = vload(s, old + start) * s.dtype.type(0)
    x0 = x1 = y0 = y1 = zero
    for component in range(2):
        u = (U1_NEW + component) * plane
        p1 = old + (2 + 2 * component) * plane
        p2 = p1 + plane
        for i in range(start, end, LANES):
            g = vload(s, u + i)
            x0 = x0 + g * vload(s, p1 + i - LANES)
            x1 = x1 + g * vload(s, p1 + i)
            y0 = y0 + g * vload(s, p2 + i - pitch)
            y1 = y1 + g * vload(s, p2 + i)
    vaccumulate(sums, SUM_DIV * LANES, x0)
    vaccumulate(sums, (SUM_DIV + 1) * LANES, x1)
    vaccumulate(sums, (SUM_DIV + 2) * LANES, y0)
    vaccumulate(sums, (SUM_DIV + 3) * LANES, y1)


@njit(**JIT)
def _correlation_sums_row(s, gradient, values, start, end, offset, sums, index):
    """sums[index] += gradient * (values ``offset`` further), over a row."""
    total = vload(s, gradient + start) * s.dtype.type(0)
    for i in range(start, end, LANES):
        total = total + vload(s, gradient + i) * vload(s, values + i + offset)
    vaccumulate(sums, index * LANES, total)


@njit(**JIT)
def _correlation9_sums_row(s, gradient, values, start, end, pitch, sums, index):
    for dy in range(3):
        for dx in range(3):
            offset = (dy - 1) * pitch + (dx - 1) * LANES
            tap = index + 3 * dy + dx
            _correlation_sums_row(s, gradient, values, start, end, offset, sums, tap)


@njit(**JIT)
def _flow_sums_row(s, new, plane, start, end, pitch, paper, sums):
    """Gradient of the flow kernel: gradient of q times the neighbours of u."""
    for component in range(2):
        u = new + component * plane
        q1 = (Q11 + 2 * component) * plane
        q2 = q1 + plane
        k = SUM_FLOW
        if paper:
            _correlation9_sums_row(s, q1, u, start, end, pitch, sums, k)
            _correlation9_sums_row(s, q2, u, start, end, pitch, sums, k + 9)
        else:
            _correlation_sums_row(s, q1, u, start, end, 0, sums, k)
            _correlation_sums_row(s, q1, u, start, end, LANES, sums, k + 1)
            _correlation_sums_row(s, q2, u, start, end, 0, sums, k + 2)
            _correlation_sums_row(s, q2, u, start, end, pitch, sums, k + 3)


@njit(**JIT)
def _iterate_back(
    s, w, old, new, plane, h, pitch, bound, step, paper, first, last, needs, sums
):
    """Adjoint of _iterate. first: nothing has come back through p yet."""
    _, need_maps, need_flow, need_div, _ = needs
    width = pitch - LANES
    for y in range(h + 2):
        if y < h and not first:
            start = (y + 1) * pitch + LANES
            end = start + width
            if paper:
                _dual_row_paper(s, w, new, plane, start, end, pitch, step, sums)
            else:
                last_row = y == h - 1
                _dual_row_tvl1(
                    s, w, new, plane, start, end, pitch, step, last_row, sums
                )
            if need_flow:
                _flow_sums_row(s, new, plane, start, end, pitch, paper, sums)
        if 0 < y <= h:
            start = y * pitch + LANES
            end = start + width
            _new_u_row(s, w, plane, start, end, pitch, paper, first)
            _old_u_row(s, old, plane, start, end, bound, need_maps, sums)
            if need_div and not last:
                _div_sums_row(s, old, plane, start, end, pitch, sums)
        if y > 1 and not last:
            start = (y - 1) * pitch + LANES
            _old_p_row(s, w, plane, start, start + width, pitch)


@njit(**INLINE)
def _add(s, i, value):
    vstore(s, i, vload(s, i) + value)


@njit(**INLINE)
def _central_back(s, w, tap, g, f1_grad, f2_grad, i, stride, place, size):
    half = s.dtype.type(0.5)
    if size == 1:
        return
    if place == 0:
        _add(s, f1_grad + i + stride, g * half)
        _add(s, f1_grad + i, g * -half)
    elif place == size - 1:
        _add(s, f1_grad + i, g * half)
        _add(s, f1_grad + i - stride, g * -half)
    else:
        _add(s, f2_grad + i - stride, g * vload(w, tap * LANES))
        _add(s, f2_grad + i, g * vload(w, (tap + 1) * LANES))
        _add(s, f2_grad + i + stride, g * vload(w, (tap + 2) * LANES))


@njit(**JIT)
def _coefficients_back(s, w, f1_grad, f2_grad, plane, h, width, pitch, paper):
    """Adjoint of _coefficients: gradients of the two frames."""
    tap = W_FLOW + (18 if paper else 4)
    for y in range(h):
        for x in range(width):
            i = (y + 1) * pitch + (x + 1) * LANES
            rho = vload(s, RHO_GRAD * plane + i)
            _add(s, f2_grad + i, rho)
            _add(s, f1_grad + i, s.dtype.type(0) - rho)
            gx, gy = vload(s, GX_GRAD * plane + i), vload(s, GY_GRAD * plane + i)
            if paper:
                for dy in range(3):
                    for dx in range(3):
                        j = i + (dy - 1) * pitch + (dx - 1) * LANES
                        k = (tap + 3 * dy + dx) * LANES
                        both = gx * vload(w, k) + gy * vload(w, k + 9 * LANES)
                        _add(s, f2_grad + j, both)
            else:
                _central_back(s, w, tap, gx, f1_grad, f2_grad, i, LANES, x, width)
                _central_back(s, w, tap + 3, gy, f1_grad, f2_grad, i, pitch, y, h)


@njit(**JIT)
def _image_sums(s, f2, plane, h, width, pitch, paper, sums):
    """Gradient of the image kernel."""
    first = SUM_FLOW + (18 if paper else 4)
    for y in range(h):
        start = (y + 1) * pitch + LANES
        end = start + width * LANES
        gx, gy = GX_GRAD * plane, GY_GRAD * plane
        if paper:
            _correlation9_sums_row(s, gx, f2, start, end, pitch, sums, first)
            _correlation9_sums_row(s, gy, f2, start, end, pitch, sums, first + 9)
        else:
            for tap in range(3):
                if width > 2:
                    offset = (tap - 1) * LANES
                    inner, outer = start + LANES, end - LANES
                    _correlation_sums_row(
                        s, gx, f2, inner, outer, offset, sums, first + tap
                    )
                if 0 < y < h - 1:
                    offset = (tap - 1) * pitch
                    _correlation_sums_row(
                        s, gy, f2, start, end, offset, sums, first + 3 + tap
                    )


@njit(**JIT)
def _pair_back(
    s, w, plane, h, pitch, bound, step, n_iters, segment, paper, needs, sums
):
    """All iterations of a pair backwards, from the gradient of u in U_OLD."""
    block = STATE_PLANES * plane
    states = BACKWARD_PLANES * plane
    segments = (n_iters + segment - 1) // segment
    checkpoints = states + (min(segment, n_iters - 1) + 1) * block
    s[states : states + block] = 0
    s[P11 * plane : (P22 + 1) * plane] = 0
    s[RHO_GRAD * plane : (GY_GRAD + 1) * plane] = 0
    for index in range(1, segments):
        for _ in range(segment):
            _iterate(s, w, states, states, plane, h, pitch, bound, step, paper, True)
        to = checkpoints + (index - 1) * block
        s[to : to + block] = s[states : states + block]
    for index in range(segments - 1, -1, -1):
        if index == 0:
            s[states : states + block] = 0
        else:
            at = checkpoints + (index - 1) * block
            s[states : states + block] = s[at : at + block]
        begin = index * segment
        end = min(begin + segment, n_iters)
        for i in range(min(end, n_iters - 1) - begin):
            old = states + i * block
            new = old + block
            _iterate(s, w, old, new, plane, h, pitch, bound, step, paper, True)
        for i in range(end - 1, begin - 1, -1):
            old = states + (i - begin) * block
            first, last = i == n_iters - 1, i == 0
            _iterate_back(
                s,
                w,
                old,
                old + block,
                plane,
                h,
                pitch,
                bound,
                step,
                paper,
                first,
                last,
                needs,
                sums,
            )


@cached_njit
def _backward_group(
    grad,
    gs,
    x,
    xs,
    x_grad,
    xgs,
    seam,
    seam_strides,
    lanes,
    w,
    bound,
    step,
    size,
    n_iters,
    segment,
    paper,
    needs,
    sums,
    s,
):
    """Gradients of one group of lanes; see _forward_group.

    A frame that is the last of one lane and the first of the next gets the first's
    gradient in x_grad, and the next's in seam (N, C, chunks, H, W): the two are
    computed at the same time. needs: x, maps (x or image kernel),
    flow, divergence or theta, image kernel.
    """
    channels, h, width, pairs_per_lane = size
    need_x, need_maps, _, _, need_image = needs
    pitch = (width + 1) * LANES
    plane = (h + 2) * pitch + LANES
    s[:] = 0
    f1, f2 = FRAME_A * plane, FRAME_B * plane
    f1_grad, f2_grad = FRAME_A_GRAD * plane, FRAME_B_GRAD * plane
    _pack(s, f1, x, xs, lanes, 0, 0, 0, h, width, pitch)
    for time in range(lanes[:, 3].max()):
        more = time < lanes[:, 3].max() - 1
        if more:
            _pack(s, f2, x, xs, lanes, 0, time + 1, 0, h, width, pitch)
            _coefficients(s, w, f1, f2, plane, h, width, pitch, paper)
            u1, u2 = U1_OLD * plane, U2_OLD * plane
            _pack(s, u1, grad, gs, lanes, 0, time, 1, h, width, pitch)
            _pack(s, u2, grad, gs, lanes, channels, time, 1, h, width, pitch)
            _pair_back(
                s,
                w,
                plane,
                h,
                pitch,
                bound,
                step,
                n_iters,
                segment,
                paper,
                needs,
                sums,
            )
            if need_maps:
                s[f2_grad : f2_grad + plane] = 0
                if need_x:
                    _coefficients_back(
                        s, w, f1_grad, f2_grad, plane, h, width, pitch, paper
                    )
                if need_image:
                    _image_sums(s, f2, plane, h, width, pitch, paper, sums)
        if need_x:
            for lane in range(LANES):
                n, c, first, frames = lanes[lane]
                if time >= frames:
                    continue
                if time == 0 and first > 0:
                    chunk = first // pairs_per_lane
                    to, strides, place = seam, seam_strides, chunk - 1
                    _unpack_lane(
                        s, f1_grad, to, strides, lane, n, c, place, h, width, pitch
                    )
                else:
                    place = first + time
                    _unpack_lane(
                        s, f1_grad, x_grad, xgs, lane, n, c, place, h, width, pitch
                    )
        f1, f2 = f2, f1
        f1_grad, f2_grad = f2_grad, f1_grad


def _storage(t: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The memory from t's first element to its last, one-dimensional, and strides."""
    t = t.detach()
    if t.numel() == 0:  # never touched, but the kernel wants the type
        t = t.new_empty((1,) * t.ndim)
    strides = t.stride()
    span = 1 + sum((n - 1) * k for n, k in zip(t.shape, strides, strict=True))
    flat = torch.as_strided(t, (span,), (1,)).numpy()
    return flat, np.array(strides, dtype=np.int64)


def _lanes(n: int, channels: int, pairs: int) -> tuple[np.ndarray, int]:
    """What each lane works on, (groups, LANES, 4), and the pairs per lane.

    Rows: clip, channel, first frame, frames (0 where there is no work). The frames of
    a clip are cut into chunks only where there are too few clips and channels.
    """
    wanted = 4 * torch.get_num_threads() * LANES
    chunks = min(pairs, math.ceil(wanted / max(1, n * channels)))
    per_lane = math.ceil(pairs / chunks)
    chunks = math.ceil(pairs / per_lane)
    count = n * channels * chunks
    groups = math.ceil(count / LANES)
    lanes = np.zeros((groups * LANES, 4), dtype=np.int64)
    index = np.arange(count)
    lanes[:count, 0] = index // (chunks * channels)
    lanes[:count, 1] = index // chunks % channels
    first = index % chunks * per_lane
    lanes[:count, 2] = first
    lanes[:count, 3] = np.minimum(per_lane, pairs - first) + 1
    return lanes.reshape(groups, LANES, 4), per_lane


def _weights(
    kernels: list[np.ndarray], theta: float, lanes: np.ndarray, variant: str
) -> np.ndarray:
    """The weight table of each group, (groups, rows, LANES): theta * div, flow, image.

    Rows of tvl1's kernels depend on the lane's channel.
    """
    image, flow, div = kernels
    groups = lanes.shape[0]
    if variant == "paper":
        table = np.concatenate([theta * div.ravel(), flow.ravel(), image.ravel()])
        table = np.broadcast_to(table[None, :, None], (groups, table.size, LANES))
    else:
        channels = div.shape[0]
        parts = (theta * div, flow, image)
        table = np.concatenate([p.reshape(channels, -1) for p in parts], axis=1)
        table = table[lanes[:, :, 1]].transpose(0, 2, 1)
    return np.ascontiguousarray(table).reshape(groups, -1)


def _scratch(dtype: np.dtype, planes: int, h: int, w: int) -> np.ndarray:
    size = planes * ((h + 2) * (w + 1) + 1) * LANES
    memory = np.empty(size + 16, dtype=dtype)
    skip = -memory.ctypes.data // dtype.itemsize % (64 // dtype.itemsize)
    return memory[skip : skip + size]


def _segment(n_iters: int, state_bytes: int) -> tuple[int, int]:
    """Iterations per segment, and how many states are kept in all."""
    best = n_iters, n_iters
    for segments in range(1, math.isqrt(n_iters) + 1):
        segment = math.ceil(n_iters / segments)
        states = min(segment, n_iters - 1) + 1
        states += math.ceil(n_iters / segment) - 1
        best = segment, states
        if states * state_bytes <= STATE_BYTES:
            break
    return best


def _state_dtype(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def _prepare(x, kernels, scalars, variant):
    dtype = np.dtype(np.float64 if x.dtype == torch.float64 else np.float32)
    n, c, t = x.shape[:3]
    lanes, per_lane = _lanes(n, c, t - 1)
    theta, lam, tau = (float(v.detach()) for v in scalars)
    kernels = [k.detach().to(torch.float64).numpy() for k in kernels]
    table = _weights(kernels, theta, lanes, variant).astype(dtype)
    return dtype, lanes, per_lane, table, dtype.type(lam * theta), tau / theta


def forward(
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
    variant: str,
) -> Tensor:
    """See :func:`flowzoo_kernels.representation_flow`."""
    if x.dtype != _state_dtype(x):  # one more copy is cheaper than one more kernel
        parameters = image_kernel, flow_kernel, div_kernel, theta, lam, tau
        out = forward(x.to(_state_dtype(x)), *parameters, n_iters, variant)
        return out.to(x.dtype)
    n, c, t, h, w = x.shape
    out = x.new_empty((n, 2 * c, t - 1, h, w))
    if n == 0:
        return out
    kernels = image_kernel, flow_kernel, div_kernel
    dtype, lanes, _, table, bound, step = _prepare(
        x, kernels, (theta, lam, tau), variant
    )
    x_flat, x_strides = _storage(x)
    out_flat, out_strides = _storage(out)
    planes = FORWARD_PLANES + STATE_PLANES

    def make_worker():
        scratch = _scratch(dtype, planes, h, w)

        def worker(g: int) -> None:
            _forward_group(
                x_flat,
                x_strides,
                out_flat,
                out_strides,
                lanes[g],
                table[g],
                bound,
                dtype.type(step),
                (c, h, w),
                n_iters,
                variant == "paper",
                scratch,
            )

        return worker

    run_tasks(make_worker, len(lanes))
    return out


def backward(
    grad: Tensor,
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
    variant: str,
    needs: list[bool],
) -> tuple[Tensor, ...]:
    """Gradients of the first seven arguments of the operator, in their types.

    Those that ``needs`` does not ask for are empty or meaningless.
    """
    need_x, need_image, need_flow, need_div, need_theta, _, _ = needs
    state = _state_dtype(x)
    if x.dtype != state:
        parameters = image_kernel, flow_kernel, div_kernel, theta, lam, tau
        wide = torch.empty_like(x, dtype=state).copy_(x)  # with the strides of x
        x_grad, *rest = backward(
            grad.to(state), wide, *parameters, n_iters, variant, needs
        )
        return x_grad.to(x.dtype), *rest
    n, c, t, h, w = x.shape
    kernels = image_kernel, flow_kernel, div_kernel
    scalars = theta, lam, tau
    x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
    rows = SUM_FLOW + FLOW_TAPS[variant] + IMAGE_TAPS[variant]
    if n == 0:
        sums = torch.zeros((c, rows), dtype=torch.float64)
        return x_grad, *parameter_gradients(sums, kernels, scalars, variant)

    dtype, lanes, per_lane, table, bound, step = _prepare(x, kernels, scalars, variant)
    chunks = math.ceil((t - 1) / per_lane)
    seam = x.new_empty((n, c, chunks - 1 if need_x else 0, h, w))
    storages = (*_storage(grad), *_storage(x))
    storages += _storage(x_grad if need_x else x[:0]) + _storage(seam)
    sums = np.zeros((len(lanes), rows, LANES))
    flat_sums = sums.reshape(len(lanes), -1)
    segment, states = _segment(
        n_iters, STATE_PLANES * (h + 2) * (w + 1) * LANES * dtype.itemsize
    )
    flags = (
        need_x,
        need_x or need_image,
        need_flow,
        need_div or need_theta,
        need_image,
    )

    def make_worker():
        scratch = _scratch(dtype, BACKWARD_PLANES + states * STATE_PLANES, h, w)

        def worker(g: int) -> None:
            _backward_group(
                *storages,
                lanes[g],
                table[g],
                bound,
                dtype.type(step),
                (c, h, w, per_lane),
                n_iters,
                segment,
                variant == "paper",
                flags,
                flat_sums[g],
                scratch,
            )

        return worker

    run_tasks(make_worker, len(lanes))
    if need_x and chunks > 1:
        x_grad[:, :, per_lane : per_lane * chunks : per_lane] += seam
    per_lane_sums = sums.transpose(0, 2, 1).reshape(-1, rows)[: n * c * chunks]
    per_channel = per_lane_sums.reshape(n, c, chunks, rows).sum(axis=(0, 2))
    per_channel = torch.from_numpy(per_channel)
    return x_grad, *parameter_gradients(per_channel, kernels, scalars, variant)
