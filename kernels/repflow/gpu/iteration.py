"""One iteration on the patches of a program, in Triton.

1 / d is rsqrt(d * d), and sqrt(z) is z * rsqrt(z): one special-function instruction
each, without the range checks of a division (d >= 1, z >= 1e-12).
"""

from typing import NamedTuple

import triton
import triton.language as tl

from .derivatives import gradient, load_taps
from .image_gradient import image_gradient, image_gradient_to_edges
from .patches import (
    above_factor,
    from_above,
    from_left,
    left_factor,
    load_field,
    zero_outside,
)

EPS = tl.constexpr(1e-12)


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


@triton.jit
def parameters(
    div_ptr, flow_ptr, scalars_ptr, channel, PAPER: tl.constexpr, SOBEL: tl.constexpr
):
    """lam * theta, tau / theta, taps of theta * divergence, taps of u's gradient."""
    theta, lam = tl.load(scalars_ptr), tl.load(scalars_ptr + 1)
    step = tl.load(scalars_ptr + 2) / theta
    if PAPER:
        d = load_taps(div_ptr, 4)
        flow = load_taps(flow_ptr, 1 if SOBEL else 18)
    else:
        d = load_taps(div_ptr + channel * 4, 4)
        flow = load_taps(flow_ptr + channel * 4, 4)
    div = (theta * d[0], theta * d[1], theta * d[2], theta * d[3])
    return lam * theta, step, div, flow


class Coefficients(NamedTuple):
    """Fields that stay the same: F2 - F1, gradient of F2, -1 / its square."""

    rho: tuple
    gx: tuple
    gy: tuple
    scale: tuple


@triton.jit
def coefficients(
    first_ptr, second_ptr, stride_h, stride_w, image_ptr, p,
    ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr, PAPER: tl.constexpr,
    EDGES: tl.constexpr,
):  # fmt: skip
    """From the maps F1 and F2 that begin at first_ptr and second_ptr.

    EDGES: the gradient of F2 is to be right at a window's edges, too.
    """
    f1 = load_field(first_ptr, stride_h, stride_w, p, p.inside, ROWS, COLS)
    f2 = load_field(second_ptr, stride_h, stride_w, p, p.inside, ROWS, COLS)
    if EDGES:
        gx, gy = image_gradient_to_edges(
            f1, f2, second_ptr, stride_h, stride_w, image_ptr, p,
            ROWS, COLS, TALL, PAPER,
        )  # fmt: skip
    else:
        gx, gy = image_gradient(f1, f2, image_ptr, p, ROWS, COLS, TALL, PAPER)
    rho, scale = (), ()
    for i in tl.static_range(ROWS * COLS):
        rho += (f2[i] - f1[i],)
        scale += (-1 / (gx[i] * gx[i] + gy[i] * gy[i] + EPS),)
    return Coefficients(rho, gx, gy, scale)


@triton.jit
def clamp(value, bound):
    return tl.clamp(value, -bound, bound, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def new_u(
    u1, u2, p11, p12, p21, p22, given, bound, div, p,
    ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    EXACT: tl.constexpr, PAPER: tl.constexpr,
):  # fmt: skip
    """u after an iteration; div: the taps of theta * divergence."""
    n1, n2 = (), ()
    for i in tl.static_range(ROWS * COLS):
        gx, gy = given.gx[i], given.gy[i]
        k = (given.rho[i] + gx * u1[i] + gy * u2[i]) * given.scale[i]
        k = clamp(k, bound)
        x0, y0 = left_factor(div[0], p, i, COLS), above_factor(div[2], p, i, COLS)
        # Term by term, so that each is one fused multiply-add.
        v = u1[i] + k * gx + div[1] * p11[i] + div[3] * p12[i]
        v += x0 * from_left(p11, p, i, COLS)
        v += y0 * from_above(p12, p, i, ROWS, COLS, TALL)
        n1 += (zero_outside(v, p, i, COLS, EXACT or not PAPER),)
        v = u2[i] + k * gy + div[1] * p21[i] + div[3] * p22[i]
        v += x0 * from_left(p21, p, i, COLS)
        v += y0 * from_above(p22, p, i, ROWS, COLS, TALL)
        n2 += (zero_outside(v, p, i, COLS, EXACT or not PAPER),)
    return n1, n2


@triton.jit
def shrink(p1, p2, q1, q2, step):
    z = EPS + q1 * q1 + q2 * q2
    d = 1 + (step * z) * tl.rsqrt(z)
    inverse = tl.rsqrt(d * d)
    return (p1 + step * q1) * inverse, (p2 + step * q2) * inverse


@triton.jit
def new_p(
    u, p1, p2, step, flow, p,
    ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    EXACT: tl.constexpr, PAPER: tl.constexpr, SOBEL: tl.constexpr,
):  # fmt: skip
    """The two p of one component of u after an iteration."""
    q1, q2 = gradient(u, p, flow, ROWS, COLS, TALL, EXACT, PAPER, SOBEL)
    n1, n2 = (), ()
    for i in tl.static_range(ROWS * COLS):
        v1, v2 = shrink(p1[i], p2[i], q1[i], q2[i], step)
        n1 += (v1,)
        n2 += (v2,)
    return n1, n2


@triton.jit
def iterate(
    u1, u2, p11, p12, p21, p22, given, bound, step, div, flow, p,
    ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    EXACT: tl.constexpr, PAPER: tl.constexpr, SOBEL: tl.constexpr,
):  # fmt: skip
    u1, u2 = new_u(
        u1, u2, p11, p12, p21, p22, given, bound, div, p,
        ROWS, COLS, TALL, EXACT, PAPER,
    )  # fmt: skip
    p11, p12 = new_p(u1, p11, p12, step, flow, p, ROWS, COLS, TALL, EXACT, PAPER, SOBEL)
    p21, p22 = new_p(u2, p21, p22, step, flow, p, ROWS, COLS, TALL, EXACT, PAPER, SOBEL)
    return u1, u2, p11, p12, p21, p22
