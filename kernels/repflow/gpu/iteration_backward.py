"""The adjoint of one iteration, in Triton."""

import triton
import triton.language as tl

from .derivatives import gradient, gradient_back, kernel_sums
from .iteration import EPS, clamp
from .patches import (
    above_factor,
    below_factor,
    from_above,
    from_below,
    from_left,
    from_right,
    left_factor,
    own_pixels,
    right_factor,
)
from .state_workspace import load_slab


@triton.jit
def shrink_back(g1, g2, p1, p2, q1, q2, step):
    """Adjoint of shrink: gradients of old p and of q, and what step's grows by."""
    z = EPS + q1 * q1 + q2 * q2
    inv_root = tl.rsqrt(z)
    root = z * inv_root
    d = 1 + step * root
    inverse = tl.rsqrt(d * d)
    g1, g2 = g1 * inverse, g2 * inverse
    d_grad = g1 * p1 + g2 * p2
    share = g1 * q1 + g2 * q2 - d_grad * root
    along = d_grad * inv_root
    return g1, g2, step * (g1 - along * q1), step * (g2 - along * q2), share


@triton.jit
def through_p(
    v, p1, p2, g1, g2, u_grad, step_sum, flow_sums, step, flow, p,
    ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr, EXACT: tl.constexpr,
    PAPER: tl.constexpr, SOBEL: tl.constexpr,
    NEED_FLOW: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Back through p = shrink(old p, gradient of v), of one component."""
    q1, q2 = gradient(v, p, flow, ROWS, COLS, TALL, EXACT, PAPER, SOBEL)
    n1, n2, b1, b2, shares = (), (), (), (), ()
    for i in tl.static_range(ROWS * COLS):
        x1, x2, y1, y2, share = shrink_back(
            g1[i], g2[i], p1[i], p2[i], q1[i], q2[i], step
        )
        n1 += (x1,)
        n2 += (x2,)
        b1 += (y1,)
        b2 += (y2,)
        shares += (share,)
    u_grad = gradient_back(
        u_grad, b1, b2, p, flow, ROWS, COLS, TALL, EXACT, PAPER, SOBEL
    )
    shares = own_pixels(shares, p, ROWS, COLS, WINDOWS)
    for i in tl.static_range(ROWS * COLS):
        step_sum += shares[i]
    if NEED_FLOW:
        b1 = own_pixels(b1, p, ROWS, COLS, WINDOWS)
        b2 = own_pixels(b2, p, ROWS, COLS, WINDOWS)
        flow_sums = kernel_sums(flow_sums, v, b1, b2, p, ROWS, COLS, TALL, EXACT, PAPER)
    return n1, n2, u_grad, step_sum, flow_sums


@triton.jit
def divergence_back(
    g1, g2, u_grad, div, p, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr
):
    """Adjoint of theta * divergence, added to the gradients of p."""
    n1, n2 = (), ()
    for i in tl.static_range(ROWS * COLS):
        x0, y0 = (
            right_factor(div[0], p, i, COLS),
            below_factor(div[2], p, i, ROWS, COLS),
        )
        value = g1[i] + div[1] * u_grad[i]
        n1 += (value + x0 * from_right(u_grad, p, i, COLS),)
        value = g2[i] + div[3] * u_grad[i]
        n2 += (value + y0 * from_below(u_grad, p, i, ROWS, COLS, TALL),)
    return n1, n2


@triton.jit
def divergence_sums(
    sums, u_grad, p1, p2, p, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Gradient of the taps of theta * divergence."""
    x0, x1, y0, y1 = sums
    u_grad = own_pixels(u_grad, p, ROWS, COLS, WINDOWS)
    for i in tl.static_range(ROWS * COLS):
        g = u_grad[i]
        x0 += left_factor(1.0, p, i, COLS) * from_left(p1, p, i, COLS) * g
        x1 += g * p1[i]
        above = from_above(p2, p, i, ROWS, COLS, TALL)
        y0 += above_factor(1.0, p, i, COLS) * above * g
        y1 += g * p2[i]
    return (x0, x1, y0, y1)


@triton.jit
def through_data(
    u1, u2, u1_grad, u2_grad, map_sums, bound_sum, given, bound, p,
    ROWS: tl.constexpr, COLS: tl.constexpr,
    NEED_MAPS: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Back through u = old u + k * gradient of F2."""
    n1, n2, rho_sum, gx_sum, gy_sum, shares = (), (), (), (), (), ()
    for i in tl.static_range(ROWS * COLS):
        gx, gy, scale = given.gx[i], given.gy[i], given.scale[i]
        g1, g2 = u1_grad[i], u2_grad[i]
        r = (given.rho[i] + gx * u1[i] + gy * u2[i]) * scale
        k_grad = g1 * gx + g2 * gy
        above, below = r > bound, r < -bound
        shares += (tl.where(above, k_grad, tl.where(below, -k_grad, 0.0)),)
        r_grad = tl.where(above | below, 0.0, k_grad) * scale
        if NEED_MAPS:
            k = clamp(r, bound)
            rho_sum += (map_sums[0][i] + r_grad,)
            twice = 2 * k
            gx_sum += (map_sums[1][i] + k * g1 + r_grad * (u1[i] + twice * gx),)
            gy_sum += (map_sums[2][i] + k * g2 + r_grad * (u2[i] + twice * gy),)
        n1 += (g1 + r_grad * gx,)
        n2 += (g2 + r_grad * gy,)
    shares = own_pixels(shares, p, ROWS, COLS, WINDOWS)
    for i in tl.static_range(ROWS * COLS):
        bound_sum += shares[i]
    if NEED_MAPS:
        map_sums = (rho_sum, gx_sum, gy_sum)
    return n1, n2, map_sums, bound_sum


@triton.jit
def iterate_back(
    grads, after, has_after, before, has_before,
    map_sums, scalar_sums, div_sums, flow_sums,
    given, bound, step, div, flow, p,
    GROUPS: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, EXACT: tl.constexpr, PAPER: tl.constexpr,
    SOBEL: tl.constexpr, NEED_MAPS: tl.constexpr, NEED_FLOW: tl.constexpr,
    NEED_DIV: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Back over one iteration, between the states before and after it in the slab.

    Their fields are loaded where they are used: all at once would not fit in registers.
    Nothing comes back through the last p of all: its gradient is 0, its value free.
    Every argument that sums is returned.
    """
    size: tl.constexpr = ROWS * COLS
    u1_grad, u2_grad, g11, g12, g21, g22 = grads
    step_sum, bound_sum = scalar_sums
    v = load_slab(after, has_after, 0, GROUPS, size)
    p1 = load_slab(after, has_after, 2, GROUPS, size)
    p2 = load_slab(after, has_after, 3, GROUPS, size)
    g11, g12, u1_grad, step_sum, flow_sums = through_p(
        v, p1, p2, g11, g12, u1_grad, step_sum, flow_sums, step, flow, p,
        ROWS, COLS, TALL, EXACT, PAPER, SOBEL, NEED_FLOW, WINDOWS,
    )  # fmt: skip
    if NEED_DIV:
        p1 = load_slab(before, has_before, 2, GROUPS, size)
        p2 = load_slab(before, has_before, 3, GROUPS, size)
        div_sums = divergence_sums(
            div_sums, u1_grad, p1, p2, p, ROWS, COLS, TALL, WINDOWS
        )
    g11, g12 = divergence_back(g11, g12, u1_grad, div, p, ROWS, COLS, TALL)
    v = load_slab(after, has_after, 1, GROUPS, size)
    p1 = load_slab(after, has_after, 4, GROUPS, size)
    p2 = load_slab(after, has_after, 5, GROUPS, size)
    g21, g22, u2_grad, step_sum, flow_sums = through_p(
        v, p1, p2, g21, g22, u2_grad, step_sum, flow_sums, step, flow, p,
        ROWS, COLS, TALL, EXACT, PAPER, SOBEL, NEED_FLOW, WINDOWS,
    )  # fmt: skip
    if NEED_DIV:
        p1 = load_slab(before, has_before, 4, GROUPS, size)
        p2 = load_slab(before, has_before, 5, GROUPS, size)
        div_sums = divergence_sums(
            div_sums, u2_grad, p1, p2, p, ROWS, COLS, TALL, WINDOWS
        )
    g21, g22 = divergence_back(g21, g22, u2_grad, div, p, ROWS, COLS, TALL)
    u1 = load_slab(before, has_before, 0, GROUPS, size)
    u2 = load_slab(before, has_before, 1, GROUPS, size)
    u1_grad, u2_grad, map_sums, bound_sum = through_data(
        u1, u2, u1_grad, u2_grad, map_sums, bound_sum, given, bound, p,
        ROWS, COLS, NEED_MAPS, WINDOWS,
    )  # fmt: skip
    grads = (u1_grad, u2_grad, g11, g12, g21, g22)
    return grads, map_sums, (step_sum, bound_sum), div_sums, flow_sums
