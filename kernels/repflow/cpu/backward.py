"""Representation flow on the CPU: the backward pass, in Numba.

It recomputes: the scratch memory of a thread keeps as many states as
``recompute_schedule.py`` is told to, whatever the number of iterations. Sums over
pixels are kept in float64 per lane and added up in a fixed order: results repeat bit
by bit. A lane walks over the frames in order, so that each frame gets its gradients as
F2 of one pair and as F1 of the next in one place. s, w, i: see layout.py.
"""

import numpy as np
from numba import njit

from ..._common.simd import INLINE, JIT, LANES, cached_njit, vload
from .forward import coefficients, grid_of, iterate
from .iteration_backward import (
    FRAME_A_GRAD,
    FRAME_B_GRAD,
    GX_GRAD,
    GY_GRAD,
    P11,
    P22,
    RHO_GRAD,
    STATES,
    SUM_FLOW,
    U1_OLD,
    U2_OLD,
    correlation9_sums,
    correlation_sums,
    iterate_backward,
)
from .layout import (
    FRAME_A,
    FRAME_B,
    STATE_PLANES,
    W_FLOW,
    add,
    central_kind,
    largest,
    pack,
    row,
    unpack,
    unpack_lane,
)


@njit(**INLINE)
def _central_backward(s, w, tap, g, f1_grad, f2_grad, i, stride, index, size):
    """Adjoint of _central: the gradient g of its result is added to the frames'."""
    half = s.dtype.type(0.5)
    kind = central_kind(index, size)
    if kind == 1:
        add(s, f1_grad + i + stride, g * half)
        add(s, f1_grad + i, g * -half)
    elif kind == 2:
        add(s, f1_grad + i, g * half)
        add(s, f1_grad + i - stride, g * -half)
    elif kind == 3:
        add(s, f2_grad + i - stride, g * vload(w, tap * LANES))
        add(s, f2_grad + i, g * vload(w, (tap + 1) * LANES))
        add(s, f2_grad + i + stride, g * vload(w, (tap + 2) * LANES))


@njit(**JIT)
def _coefficients_backward(s, w, f1_grad, f2_grad, grid, paper):
    """Adjoint of coefficients: gradients of the two frames."""
    plane, pitch = grid.plane, grid.pitch
    tap = W_FLOW + (18 if paper else 4)
    for y in range(grid.h):
        for x in range(grid.width):
            i = (y + 1) * pitch + (x + 1) * LANES
            rho = vload(s, RHO_GRAD * plane + i)
            add(s, f2_grad + i, rho)
            add(s, f1_grad + i, s.dtype.type(0) - rho)
            gx, gy = vload(s, GX_GRAD * plane + i), vload(s, GY_GRAD * plane + i)
            if paper:
                for dy in range(3):
                    for dx in range(3):
                        j = i + (dy - 1) * pitch + (dx - 1) * LANES
                        k = (tap + 3 * dy + dx) * LANES
                        both = gx * vload(w, k) + gy * vload(w, k + 9 * LANES)
                        add(s, f2_grad + j, both)
            else:
                width, h = grid.width, grid.h
                _central_backward(s, w, tap, gx, f1_grad, f2_grad, i, LANES, x, width)
                _central_backward(s, w, tap + 3, gy, f1_grad, f2_grad, i, pitch, y, h)


@njit(**JIT)
def _image_kernel_grads(s, f2, grid, paper, sums):
    """Gradient of the image kernel."""
    first = SUM_FLOW + (18 if paper else 4)
    pitch = grid.pitch
    gx, gy = GX_GRAD * grid.plane, GY_GRAD * grid.plane
    for y in range(grid.h):
        start, end = row(grid, y)
        if paper:
            correlation9_sums(s, gx, f2, start, end, pitch, sums, first)
            correlation9_sums(s, gy, f2, start, end, pitch, sums, first + 9)
        else:
            for k in range(3):
                if grid.width > 2:
                    inner, outer, shift = start + LANES, end - LANES, (k - 1) * LANES
                    correlation_sums(s, gx, f2, inner, outer, shift, sums, first + k)
                if 0 < y < grid.h - 1:
                    shift, tap = (k - 1) * pitch, first + 3 + k
                    correlation_sums(s, gy, f2, start, end, shift, sums, tap)


@njit(**JIT)
def _pair_backward(s, w, grid, scheme, steps, needs, sums):
    """All iterations of a pair backwards, from the first state and from the gradient
    of u in U1_OLD, U2_OLD, which is that of the initial u then."""
    plane = grid.plane
    states, size = STATES * plane, STATE_PLANES * plane
    s[P11 * plane : (P22 + 1) * plane] = 0
    s[RHO_GRAD * plane : (GY_GRAD + 1) * plane] = 0
    yes = np.bool_(True)  # Numba compiles anew for each literal
    first = yes
    for k in range(len(steps)):
        iteration, a, b = steps[k]
        old, new = states + a * size, states + b * size
        if iteration < 0:
            iterate(s, w, old, new, grid, scheme, yes)
        else:
            last = iteration == 0
            iterate_backward(s, w, old, new, grid, scheme, first, last, needs, sums)
            first = not yes


@cached_njit
def backward_group(
    grad,
    x,
    initial,
    x_grad,
    initial_grad,
    seam,
    lanes,
    w,
    scheme,
    size,
    steps,
    needs,
    sums,
    s,
):
    """Gradients of one group of lanes; see forward_group.

    A frame that is the last of one lane and the first of the next gets the first's
    gradient in x_grad, and the next's in seam (N, C, chunks - 1, H, W): the two are
    computed at the same time. size: C, H, W, pairs of a chunk. steps: of
    recompute_schedule.py. needs: x, maps (x or image kernel), flow, divergence or
    theta, image kernel.
    """
    channels, h, width, pairs_per_lane = size
    need_x, need_maps, _, _, need_image = needs
    grid = grid_of(h, width)
    plane = grid.plane
    state = STATES * plane
    f1, f2 = FRAME_A * plane, FRAME_B * plane
    f1_grad, f2_grad = FRAME_A_GRAD * plane, FRAME_B_GRAD * plane
    s[f1_grad : f1_grad + plane] = 0
    no, one = np.int64(0), np.int64(1)  # Numba compiles anew for each literal number
    pack(s, f1, x[0], x[1], lanes, no, no, no, grid)
    frames = largest(lanes, 3)
    for time in range(frames):
        if time < frames - 1:
            pack(s, f2, x[0], x[1], lanes, no, time + 1, no, grid)
            coefficients(s, w, f1, f2, grid, scheme.paper)
            s[state : state + STATE_PLANES * plane] = 0
            if initial[0].size > 1:
                v = state + plane
                pack(s, state, initial[0], initial[1], lanes, no, time, one, grid)
                pack(s, v, initial[0], initial[1], lanes, channels, time, one, grid)
            pack(s, U1_OLD * plane, grad[0], grad[1], lanes, no, time, one, grid)
            pack(s, U2_OLD * plane, grad[0], grad[1], lanes, channels, time, one, grid)
            _pair_backward(s, w, grid, scheme, steps, needs, sums)
            if initial_grad[0].size > 1:
                to, strides = initial_grad
                for k in range(2):
                    u = (U1_OLD + k) * plane
                    unpack(s, u, to, strides, lanes, k * channels, time, one, grid)
            if need_maps:
                s[f2_grad : f2_grad + plane] = 0
                if need_x:
                    _coefficients_backward(s, w, f1_grad, f2_grad, grid, scheme.paper)
                if need_image:
                    _image_kernel_grads(s, f2, grid, scheme.paper, sums)
        if need_x and (time > 0 or largest(lanes, 2) == 0):
            unpack(s, f1_grad, x_grad[0], x_grad[1], lanes, no, time, no, grid)
        elif need_x:
            for lane in range(LANES):
                n, c, first, count = lanes[lane]
                if first > 0:
                    to, frame = seam, first // pairs_per_lane - 1
                else:
                    to, frame = x_grad, 0
                if count > 0:
                    unpack_lane(s, f1_grad, to[0], to[1], lane, n, c, frame, grid)
        f1, f2 = f2, f1
        f1_grad, f2_grad = f2_grad, f1_grad
