"""Representation flow on the CPU: the adjoint of one iteration, in Numba.

``old`` and ``new`` are where the states before and after the iteration begin. s, w, i,
p, u, q: see layout.py.
"""

from numba import njit

from ..._common.simd import (
    INLINE,
    JIT,
    LANES,
    vaccumulate,
    vclamp,
    vload,
    vsplat,
    vstore,
    vwhere_inside,
    vwhere_outside,
)
from .layout import (
    GX,
    GY,
    NEG_INV_G2,
    RHO,
    W_DIV,
    W_FLOW,
    add,
    constants,
    dot9,
    flow_taps_tvl1,
    length,
    neighbors9,
    row,
    sobel,
    sobel_column,
    weights4,
    weights9,
)

# Planes beside those of layout.py, before the states. The names are those of the
# forward values of which they hold the gradient.
U1_OLD, U2_OLD, U1_NEW, U2_NEW = range(6, 10)
P11, P12, P21, P22, Q11, Q12, Q21, Q22 = range(10, 18)
RHO_GRAD, GX_GRAD, GY_GRAD, FRAME_A_GRAD, FRAME_B_GRAD = range(18, 23)
STATES = 23
# Rows of the sums: see parameter_gradients.py.
SUM_STEP, SUM_BOUND, SUM_DIV, SUM_FLOW = 0, 1, 2, 6


@njit(**INLINE)
def _dual_update_backward(s, i, plane, component, p, q1, q2, step, one, eps, total):
    """Adjoint of _dual_update at pixel i; returns the gradients of q1 and q2, and total
    plus that of step."""
    root = length(q1, q2, eps)
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
def p_row_tvl1_backward(s, w, new, y, grid, step, sums):
    """Adjoint of p_row_tvl1: gradients of p turn into those of old p and of q."""
    plane, pitch = grid.plane, grid.pitch
    zero, one, eps, step = constants(s, w, step)
    x0, x1, y0, y1 = flow_taps_tvl1(w, grid, y, zero)
    start, end = row(grid, y)
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
            q1, q2, total = _dual_update_backward(
                s, i, plane, component, p, q1, q2, step, one, eps, total
            )
            vstore(s, q + i, q1)
            vstore(s, q + plane + i, q2)
            own = right
        q2 = y0 * own + y1 * vload(s, u + last + pitch)
        _, q2, total = _dual_update_backward(
            s, last, plane, component, p, zero, q2, step, one, eps, total
        )
        vstore(s, q + last, zero)
        vstore(s, q + plane + last, q2)
        if y == grid.h - 1:
            for i in range(start, end, LANES):
                vstore(s, q + plane + i, zero)
    vaccumulate(sums, SUM_STEP * LANES, total)


@njit(**JIT)
def p_row_paper_backward(s, w, new, y, grid, step, sums):
    """Adjoint of p_row_paper."""
    plane = grid.plane
    total, one, eps, step = constants(s, w, step)
    wx, wy = weights9(w, W_FLOW), weights9(w, W_FLOW + 9)
    start, end = row(grid, y)
    for component in range(2):
        u = new + component * plane
        p = new + (2 + 2 * component) * plane
        q = (Q11 + 2 * component) * plane
        for i in range(start, end, LANES):
            around = neighbors9(s, u + i, grid.pitch)
            q1, q2 = dot9(wx, around), dot9(wy, around)
            q1, q2, total = _dual_update_backward(
                s, i, plane, component, p, q1, q2, step, one, eps, total
            )
            vstore(s, q + i, q1)
            vstore(s, q + plane + i, q2)
    vaccumulate(sums, SUM_STEP * LANES, total)


@njit(**JIT)
def p_row_sobel_backward(s, w, new, y, grid, step, sums):
    """Adjoint of p_row_sobel."""
    plane, pitch = grid.plane, grid.pitch
    total, one, eps, step = constants(s, w, step)
    start, end = row(grid, y)
    for component in range(2):
        u = new + component * plane
        p = new + (2 + 2 * component) * plane
        q = (Q11 + 2 * component) * plane
        left = sobel_column(s, u + start - LANES, pitch)
        own = sobel_column(s, u + start, pitch)
        for i in range(start, end, LANES):
            right = sobel_column(s, u + i + LANES, pitch)
            q1, q2 = sobel(left, own, right)
            q1, q2, total = _dual_update_backward(
                s, i, plane, component, p, q1, q2, step, one, eps, total
            )
            vstore(s, q + i, q1)
            vstore(s, q + plane + i, q2)
            left, own = own, right
    vaccumulate(sums, SUM_STEP * LANES, total)


@njit(**INLINE)
def _reversed_dot9(a, b):
    """Scalar product of two times nine vectors, the first ones in reverse."""
    return (
        (a[8] * b[0] + a[7] * b[1] + a[6] * b[2])
        + (a[5] * b[3] + a[4] * b[4] + a[3] * b[5])
        + (a[2] * b[6] + a[1] * b[7] + a[0] * b[8])
    )


@njit(**JIT)
def new_u_row(s, w, y, grid, scheme, first):
    """Gradient of the new u: what it had, and the adjoint of the gradient of u."""
    plane, pitch = grid.plane, grid.pitch
    start, end = row(grid, y)
    for component in range(2):
        u_old = (U1_OLD + component) * plane
        u_new = (U1_NEW + component) * plane
        q1 = (Q11 + 2 * component) * plane
        q2 = q1 + plane
        if first:
            for i in range(start, end, LANES):
                vstore(s, u_new + i, vload(s, u_old + i))
        elif scheme.sobel:
            left1 = sobel_column(s, q1 + start - LANES, pitch)
            left2 = sobel_column(s, q2 + start - LANES, pitch)
            own1 = sobel_column(s, q1 + start, pitch)
            own2 = sobel_column(s, q2 + start, pitch)
            for i in range(start, end, LANES):
                right1 = sobel_column(s, q1 + i + LANES, pitch)
                right2 = sobel_column(s, q2 + i + LANES, pitch)
                x, _ = sobel(left1, own1, right1)
                _, y2 = sobel(left2, own2, right2)
                vstore(s, u_new + i, vload(s, u_old + i) - (x + y2))
                left1, own1, left2, own2 = own1, right1, own2, right2
        elif scheme.paper:
            wx, wy = weights9(w, W_FLOW), weights9(w, W_FLOW + 9)
            for i in range(start, end, LANES):
                total = _reversed_dot9(wx, neighbors9(s, q1 + i, pitch))
                total = total + _reversed_dot9(wy, neighbors9(s, q2 + i, pitch))
                vstore(s, u_new + i, vload(s, u_old + i) + total)
        else:
            x0, x1, y0, y1 = weights4(w, W_FLOW)
            for i in range(start, end, LANES):
                total = x0 * vload(s, q1 + i) + x1 * vload(s, q1 + i - LANES)
                total = total + y0 * vload(s, q2 + i)
                total = total + y1 * vload(s, q2 + i - pitch)
                vstore(s, u_new + i, vload(s, u_old + i) + total)


@njit(**JIT)
def old_u_row(s, old, y, grid, bound, need_maps, sums):
    """Adjoint of u_row with respect to the old u, the coefficients and the bound."""
    plane = grid.plane
    two = s.dtype.type(2)
    limit = vsplat(bound)
    total = limit * s.dtype.type(0)
    start, end = row(grid, y)
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
            add(s, RHO_GRAD * plane + i, rho_grad)
            add(s, GX_GRAD * plane + i, k * g1 + rho_grad * (u1 + two * k * gx))
            add(s, GY_GRAD * plane + i, k * g2 + rho_grad * (u2 + two * k * gy))
    vaccumulate(sums, SUM_BOUND * LANES, total)


@njit(**JIT)
def old_p_row(s, w, y, grid):
    """Adjoint of the divergence, added to the gradients of the old p."""
    plane = grid.plane
    x0, x1, y0, y1 = weights4(w, W_DIV)
    start, end = row(grid, y)
    for component in range(2):
        u = (U1_NEW + component) * plane
        p1 = (P11 + 2 * component) * plane
        own = vload(s, u + start)
        for i in range(start, end, LANES):
            right = vload(s, u + i + LANES)
            down = vload(s, u + i + grid.pitch)
            add(s, p1 + i, x1 * own + x0 * right)
            add(s, p1 + plane + i, y1 * own + y0 * down)
            own = right


@njit(**JIT)
def div_kernel_grads_row(s, old, y, grid, sums):
    """Gradient of the taps of theta * divergence: gradient of u times p."""
    plane, pitch = grid.plane, grid.pitch
    start, end = row(grid, y)
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
def correlation_sums(s, gradient, values, start, end, offset, sums, index):
    """sums[index] += gradient * (values ``offset`` further), over a row."""
    total = vload(s, gradient + start) * s.dtype.type(0)
    for i in range(start, end, LANES):
        total = total + vload(s, gradient + i) * vload(s, values + i + offset)
    vaccumulate(sums, index * LANES, total)


@njit(**JIT)
def correlation9_sums(s, gradient, values, start, end, pitch, sums, index):
    """The correlation sums of a row for the nine taps of a 3 x 3 kernel."""
    for dy in range(3):
        for dx in range(3):
            offset = (dy - 1) * pitch + (dx - 1) * LANES
            tap = index + 3 * dy + dx
            correlation_sums(s, gradient, values, start, end, offset, sums, tap)


@njit(**JIT)
def _flow_kernel_grads_row(s, new, y, grid, paper, sums):
    """Gradient of the flow kernel: gradient of q times the neighbors of u."""
    pitch = grid.pitch
    start, end = row(grid, y)
    for component in range(2):
        u = new + component * grid.plane
        q1 = (Q11 + 2 * component) * grid.plane
        q2 = q1 + grid.plane
        k = SUM_FLOW
        if paper:
            correlation9_sums(s, q1, u, start, end, pitch, sums, k)
            correlation9_sums(s, q2, u, start, end, pitch, sums, k + 9)
        else:
            correlation_sums(s, q1, u, start, end, 0, sums, k)
            correlation_sums(s, q1, u, start, end, LANES, sums, k + 1)
            correlation_sums(s, q2, u, start, end, 0, sums, k + 2)
            correlation_sums(s, q2, u, start, end, pitch, sums, k + 3)


@njit(**JIT)
def iterate_backward(s, w, old, new, grid, scheme, first, last, needs, sums):
    """Adjoint of iterate. first: nothing has come back through p yet."""
    _, need_maps, need_flow, need_div, _ = needs
    paper = scheme.paper
    for y in range(grid.h + 2):  # each step needs what the one before left in the rows
        if y < grid.h and not first:
            if scheme.sobel:
                p_row_sobel_backward(s, w, new, y, grid, scheme.step, sums)
            elif paper:
                p_row_paper_backward(s, w, new, y, grid, scheme.step, sums)
            else:
                p_row_tvl1_backward(s, w, new, y, grid, scheme.step, sums)
            if need_flow:
                _flow_kernel_grads_row(s, new, y, grid, paper, sums)
        if 0 < y <= grid.h:
            new_u_row(s, w, y - 1, grid, scheme, first)
            old_u_row(s, old, y - 1, grid, scheme.bound, need_maps, sums)
            if need_div and not last:
                div_kernel_grads_row(s, old, y - 1, grid, sums)
        if y > 1 and not last:
            old_p_row(s, w, y - 2, grid)
