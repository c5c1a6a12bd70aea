"""The adjoint of one iteration, in Triton.

K, p, i: see patches.py. ``old`` and ``new`` are the states before and after the
iteration, which lie in the workspace (state_workspace.py). A name with ``_grad`` is the
gradient of the value of that name.
"""

from typing import NamedTuple

import triton
import triton.language as tl

from .derivatives import flow_kernel_grads, gradient, gradient_backward
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
    zeros,
)
from .state_workspace import load_state_field


class Sums(NamedTuple):
    """Gradients of the Parameters, each with a part in every thread."""

    step: tl.tensor
    bound: tl.tensor
    div: tuple
    flow: tuple


@triton.jit
def zero_sums(K: tl.constexpr):
    """Sums of nothing."""
    step, bound = zeros(2, K)
    return Sums(step, bound, zeros(4, K), zeros(18 if K.PAPER else 4, K))


@triton.jit
def dual_update_backward(g1, g2, p1, p2, q1, q2, step):
    """Adjoint of dual_update: gradients of the old p, of q and of step.

    p1, p2: the new p.
    """
    z = EPS + q1 * q1 + q2 * q2
    inv_root = tl.rsqrt(z)
    root = z * inv_root
    d = 1 + step * root
    inverse = tl.rsqrt(d * d)
    g1, g2 = g1 * inverse, g2 * inverse
    d_grad = g1 * p1 + g2 * p2
    step_grad = g1 * q1 + g2 * q2 - d_grad * root
    along = d_grad * inv_root
    return g1, g2, step * (g1 - along * q1), step * (g2 - along * q2), step_grad


@triton.jit
def new_p_backward(
    u, p1, p2, g1, g2, u_grad, step_sum, flow_sums, params, p,
    NEED_FLOW: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """Adjoint of new_p: gradients of the old p, and what is added to u_grad and sums.

    u, p1, p2: after the iteration. g1, g2: gradients of p1 and p2.
    """
    q1, q2 = gradient(u, p, params.flow, K)
    n1, n2, b1, b2, step_grads = (), (), (), (), ()
    for i in tl.static_range(K.PIXELS):
        x1, x2, y1, y2, step_grad = dual_update_backward(
            g1[i], g2[i], p1[i], p2[i], q1[i], q2[i], params.step
        )
        n1 += (x1,)
        n2 += (x2,)
        b1 += (y1,)
        b2 += (y2,)
        step_grads += (step_grad,)
    u_grad = gradient_backward(u_grad, b1, b2, p, params.flow, K)
    step_grads = own_pixels(step_grads, p, K)
    for i in tl.static_range(K.PIXELS):
        step_sum += step_grads[i]
    if NEED_FLOW:
        b1 = own_pixels(b1, p, K)
        b2 = own_pixels(b2, p, K)
        flow_sums = flow_kernel_grads(flow_sums, u, b1, b2, p, K)
    return n1, n2, u_grad, step_sum, flow_sums


@triton.jit
def divergence_backward(g1, g2, u_grad, div, p, K: tl.constexpr):
    """Adjoint of theta * divergence, added to the gradients of p."""
    n1, n2 = (), ()
    for i in tl.static_range(K.PIXELS):
        x0, y0 = right_factor(div[0], p, i, K), below_factor(div[2], p, i, K)
        value = g1[i] + div[1] * u_grad[i]
        n1 += (value + x0 * from_right(u_grad, p, i, K),)
        value = g2[i] + div[3] * u_grad[i]
        n2 += (value + y0 * from_below(u_grad, p, i, K),)
    return n1, n2


@triton.jit
def divergence_kernel_grads(grads, u_grad, p1, p2, p, K: tl.constexpr):
    """Gradients of the taps of theta * divergence, added to grads."""
    x0, x1, y0, y1 = grads
    u_grad = own_pixels(u_grad, p, K)
    for i in tl.static_range(K.PIXELS):
        g = u_grad[i]
        x0 += left_factor(1.0, p, i, K) * from_left(p1, p, i, K) * g
        x1 += g * p1[i]
        above = from_above(p2, p, i, K)
        y0 += above_factor(1.0, p, i, K) * above * g
        y1 += g * p2[i]
    return (x0, x1, y0, y1)


@triton.jit
def data_step_backward(
    u1, u2, u1_grad, u2_grad, coeff_grads, bound_sum, coeffs, bound, p,
    NEED_MAPS: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """Adjoint of u = old u + k * gradient of F2: gradients of the old u, and sums.

    u1, u2: before the iteration. coeff_grads: gradients of rho, gx and gy.
    """
    n1, n2, rho_grad, gx_grad, gy_grad, bound_grads = (), (), (), (), (), ()
    for i in tl.static_range(K.PIXELS):
        gx, gy, neg_inv_g2 = coeffs.gx[i], coeffs.gy[i], coeffs.neg_inv_g2[i]
        g1, g2 = u1_grad[i], u2_grad[i]
        r = (coeffs.rho[i] + gx * u1[i] + gy * u2[i]) * neg_inv_g2
        k_grad = g1 * gx + g2 * gy
        above, below = r > bound, r < -bound
        bound_grads += (tl.where(above, k_grad, tl.where(below, -k_grad, 0.0)),)
        r_grad = tl.where(above | below, 0.0, k_grad) * neg_inv_g2
        if NEED_MAPS:
            k = clamp(r, bound)
            rho_grad += (coeff_grads[0][i] + r_grad,)
            twice = 2 * k
            gx_grad += (coeff_grads[1][i] + k * g1 + r_grad * (u1[i] + twice * gx),)
            gy_grad += (coeff_grads[2][i] + k * g2 + r_grad * (u2[i] + twice * gy),)
        n1 += (g1 + r_grad * gx,)
        n2 += (g2 + r_grad * gy,)
    bound_grads = own_pixels(bound_grads, p, K)
    for i in tl.static_range(K.PIXELS):
        bound_sum += bound_grads[i]
    if NEED_MAPS:
        coeff_grads = (rho_grad, gx_grad, gy_grad)
    return n1, n2, coeff_grads, bound_sum


@triton.jit
def component_backward(
    u_grad, g1, g2, sums, old_at, old_exists, new_at, new_exists, params, p,
    COMPONENT: tl.constexpr, NEED_FLOW: tl.constexpr, NEED_DIV: tl.constexpr,
    K: tl.constexpr,
):  # fmt: skip
    """Adjoint of new_p and of the divergence in new_u, for component 0 or 1 of u."""
    u = load_state_field(new_at, new_exists, COMPONENT, K)
    p1 = load_state_field(new_at, new_exists, 2 + 2 * COMPONENT, K)
    p2 = load_state_field(new_at, new_exists, 3 + 2 * COMPONENT, K)
    g1, g2, u_grad, step, flow = new_p_backward(
        u, p1, p2, g1, g2, u_grad, sums.step, sums.flow, params, p, NEED_FLOW, K
    )
    div = sums.div
    if NEED_DIV:
        p1 = load_state_field(old_at, old_exists, 2 + 2 * COMPONENT, K)
        p2 = load_state_field(old_at, old_exists, 3 + 2 * COMPONENT, K)
        div = divergence_kernel_grads(div, u_grad, p1, p2, p, K)
    g1, g2 = divergence_backward(g1, g2, u_grad, params.div, p, K)
    return u_grad, g1, g2, Sums(step, sums.bound, div, flow)


@triton.jit
def iterate_backward(
    grads, coeff_grads, sums, old_at, old_exists, new_at, new_exists,
    coeffs, params, p,
    NEED_MAPS: tl.constexpr, NEED_FLOW: tl.constexpr, NEED_DIV: tl.constexpr,
    K: tl.constexpr,
):  # fmt: skip
    """Adjoint of iterate: grads turns from that of the new into that of the old state.

    The states' fields are loaded where they are used: all at once would not fit in
    registers. The last p of all has the gradient 0 and need not exist.
    """
    u1_grad, u2_grad, g11, g12, g21, g22 = grads
    u1_grad, g11, g12, sums = component_backward(
        u1_grad, g11, g12, sums, old_at, old_exists, new_at, new_exists, params, p,
        0, NEED_FLOW, NEED_DIV, K,
    )  # fmt: skip
    u2_grad, g21, g22, sums = component_backward(
        u2_grad, g21, g22, sums, old_at, old_exists, new_at, new_exists, params, p,
        1, NEED_FLOW, NEED_DIV, K,
    )  # fmt: skip
    u1 = load_state_field(old_at, old_exists, 0, K)
    u2 = load_state_field(old_at, old_exists, 1, K)
    u1_grad, u2_grad, coeff_grads, bound = data_step_backward(
        u1, u2, u1_grad, u2_grad, coeff_grads, sums.bound, coeffs, params.bound, p,
        NEED_MAPS, K,
    )  # fmt: skip
    grads = (u1_grad, u2_grad, g11, g12, g21, g22)
    return grads, coeff_grads, Sums(sums.step, bound, sums.div, sums.flow)
