"""One iteration on the patches of a program, in Triton.

A state is six fields (u1, u2, p11, p12, p21, p22). K, p, i: see patches.py.

1 / d is rsqrt(d * d), and sqrt(z) is z * rsqrt(z): one special-function instruction
each, without the range checks of a division (d >= 1, z >= 1e-12).
"""

from typing import NamedTuple

import triton
import triton.language as tl

from .derivatives import gradient, load_taps
from .image_gradient import image_gradient, image_gradient_to_edges
from .memory import load_fields
from .patches import (
    above_factor,
    from_above,
    from_left,
    left_factor,
    zero_outside,
)

EPS = tl.constexpr(1e-12)


class Parameters(NamedTuple):
    """What is learned, as the iteration takes it."""

    bound: tl.tensor  # lam * theta
    step: tl.tensor  # tau / theta
    div: tuple  # taps of theta * divergence: x of the previous and own pixel, y
    flow: tuple  # taps of the gradient of u


@triton.jit
def load_parameters(
    div_ptr, flow_ptr, theta_ptr, lam_ptr, tau_ptr, channel, K: tl.constexpr
):
    """The Parameters of a channel."""
    theta, lam = tl.load(theta_ptr).to(tl.float32), tl.load(lam_ptr).to(tl.float32)
    step = tl.load(tau_ptr).to(tl.float32) / theta
    if K.PAPER:
        d = load_taps(div_ptr, 4)
        flow = load_taps(flow_ptr, 1 if K.SOBEL else 18)
    else:
        d = load_taps(div_ptr + channel * 4, 4)
        flow = load_taps(flow_ptr + channel * 4, 4)
    div = (theta * d[0], theta * d[1], theta * d[2], theta * d[3])
    return Parameters(lam * theta, step, div, flow)


@triton.jit
def is_sobel(ptr):
    """Whether the kernels (2, 3, 3) at ptr are those that paper starts from."""
    same = True
    for dy in tl.static_range(3):
        for dx in tl.static_range(3):
            # The part across the derivative: 1, 2, 1.
            x = (dx - 1) * (2 - (dy - 1) * (dy - 1))
            y = (dy - 1) * (2 - (dx - 1) * (dx - 1))
            same = same & (tl.load(ptr + 3 * dy + dx) == x)
            same = same & (tl.load(ptr + 9 + 3 * dy + dx) == y)
    return same


class Coefficients(NamedTuple):
    """Fields that no iteration changes."""

    rho: tuple  # F2 - F1
    gx: tuple  # gradient of F2
    gy: tuple
    neg_inv_g2: tuple  # -1 / its square


@triton.jit
def coefficients(
    ptr, stride_t, stride_h, stride_w, image_ptr, p,
    EDGES: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """The Coefficients of the maps F1, which begin at ptr, and F2 a stride_t later.

    EDGES: the gradient of F2 is to be right at a tile's edges, too.
    """
    f1, f2 = load_fields(ptr, stride_t, stride_h, stride_w, p, 2, K)
    if EDGES:
        gx, gy = image_gradient_to_edges(
            f1, f2, ptr + stride_t, stride_h, stride_w, image_ptr, p, K
        )
    else:
        gx, gy = image_gradient(f1, f2, image_ptr, p, K)
    rho, neg_inv_g2 = (), ()
    for i in tl.static_range(K.PIXELS):
        rho += (f2[i] - f1[i],)
        neg_inv_g2 += (-1 / (gx[i] * gx[i] + gy[i] * gy[i] + EPS),)
    return Coefficients(rho, gx, gy, neg_inv_g2)


@triton.jit
def clamp(value, bound):
    """The value between -bound and bound; NaN stays."""
    return tl.clamp(value, -bound, bound, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def new_u(state, coeffs, params, p, K: tl.constexpr):
    """The two components of u after an iteration (Eq. 1 to 4)."""
    u1, u2, p11, p12, p21, p22 = state
    div = params.div
    n1, n2 = (), ()
    for i in tl.static_range(K.PIXELS):
        gx, gy = coeffs.gx[i], coeffs.gy[i]
        k = (coeffs.rho[i] + gx * u1[i] + gy * u2[i]) * coeffs.neg_inv_g2[i]
        k = clamp(k, params.bound)
        x0, y0 = left_factor(div[0], p, i, K), above_factor(div[2], p, i, K)
        # Term by term, so that each is one fused multiply-add.
        v = u1[i] + k * gx + div[1] * p11[i] + div[3] * p12[i]
        v += x0 * from_left(p11, p, i, K)
        v += y0 * from_above(p12, p, i, K)
        n1 += (zero_outside(v, p, i, K.EXACT or not K.PAPER, K),)
        v = u2[i] + k * gy + div[1] * p21[i] + div[3] * p22[i]
        v += x0 * from_left(p21, p, i, K)
        v += y0 * from_above(p22, p, i, K)
        n2 += (zero_outside(v, p, i, K.EXACT or not K.PAPER, K),)
    return n1, n2


@triton.jit
def dual_update(p1, p2, q1, q2, step):
    """The new p at a pixel from the old p and the gradient q of u (Eq. 5)."""
    z = EPS + q1 * q1 + q2 * q2
    d = 1 + (step * z) * tl.rsqrt(z)
    inverse = tl.rsqrt(d * d)
    return (p1 + step * q1) * inverse, (p2 + step * q2) * inverse


@triton.jit
def new_p(u, p1, p2, params, p, K: tl.constexpr):
    """The two p of one component of u after an iteration."""
    q1, q2 = gradient(u, p, params.flow, K)
    n1, n2 = (), ()
    for i in tl.static_range(K.PIXELS):
        v1, v2 = dual_update(p1[i], p2[i], q1[i], q2[i], params.step)
        n1 += (v1,)
        n2 += (v2,)
    return n1, n2


@triton.jit
def iterate(state, coeffs, params, p, K: tl.constexpr):
    """The state after an iteration."""
    u1, u2 = new_u(state, coeffs, params, p, K)
    p11, p12 = new_p(u1, state[2], state[3], params, p, K)
    p21, p22 = new_p(u2, state[4], state[5], params, p, K)
    return u1, u2, p11, p12, p21, p22
