"""Derivatives of u and their adjoints, in Triton.

K, p, i: see patches.py. taps: the numbers of a kernel; q: the gradient (qx, qy) of u.
"""

import triton
import triton.language as tl

from .patches import (
    above_factor,
    below_factor,
    from_above,
    from_below,
    from_left,
    from_right,
    left_factor,
    right_factor,
    zero_outside,
)


@triton.jit
def load_taps(ptr, COUNT: tl.constexpr):
    """The first COUNT numbers of a kernel."""
    taps = ()
    for tap in tl.static_range(COUNT):
        taps += (tl.load(ptr + tap).to(tl.float32),)
    return taps


@triton.jit
def paper_gradient(u, p, taps, SOBEL: tl.constexpr, K: tl.constexpr):
    """Gradient of u by two kernels of 3 x 3; if SOBEL, by Sobel filters."""
    left, right = (), ()
    for i in tl.static_range(K.PIXELS):
        left += (left_factor(1.0, p, i, K) * from_left(u, p, i, K),)
        right += (right_factor(1.0, p, i, K) * from_right(u, p, i, K),)
    qx, qy = (), ()
    if SOBEL:
        change, smooth = (), ()
        for i in tl.static_range(K.PIXELS):
            change += (right[i] - left[i],)
            smooth += (right[i] + left[i] + 2 * u[i],)
        for i in tl.static_range(K.PIXELS):
            above = above_factor(1.0, p, i, K)
            below = below_factor(1.0, p, i, K)
            total = 2 * change[i] + above * from_above(change, p, i, K)
            total += below * from_below(change, p, i, K)
            qx += (total,)
            total = below * from_below(smooth, p, i, K)
            total -= above * from_above(smooth, p, i, K)
            qy += (total,)
    else:
        for i in tl.static_range(K.PIXELS):
            above = above_factor(1.0, p, i, K)
            below = below_factor(1.0, p, i, K)
            a0 = above * from_above(left, p, i, K)
            a1 = above * from_above(u, p, i, K)
            a2 = above * from_above(right, p, i, K)
            b0 = below * from_below(left, p, i, K)
            b1 = below * from_below(u, p, i, K)
            b2 = below * from_below(right, p, i, K)
            # Term by term, so that each is one fused multiply-add.
            total = taps[0] * a0
            total += taps[1] * a1
            total += taps[2] * a2
            total += taps[3] * left[i]
            total += taps[4] * u[i]
            total += taps[5] * right[i]
            total += taps[6] * b0
            total += taps[7] * b1
            qx += (total + taps[8] * b2,)
            total = taps[9] * a0
            total += taps[10] * a1
            total += taps[11] * a2
            total += taps[12] * left[i]
            total += taps[13] * u[i]
            total += taps[14] * right[i]
            total += taps[15] * b0
            total += taps[16] * b1
            qy += (total + taps[17] * b2,)
    return qx, qy


@triton.jit
def paper_gradient_backward(
    total, qx, qy, p, taps, EXACT: tl.constexpr, SOBEL: tl.constexpr, K: tl.constexpr
):
    """Adjoint of paper_gradient, added to total.

    Columns are summed first, so that two fields move sideways, not six.
    """
    from_l, from_r, result = (), (), ()
    for i in tl.static_range(K.PIXELS):
        above = above_factor(1.0, p, i, K)
        below = below_factor(1.0, p, i, K)
        xa = above * from_above(qx, p, i, K)
        xb = below * from_below(qx, p, i, K)
        ya = above * from_above(qy, p, i, K)
        yb = below * from_below(qy, p, i, K)
        if SOBEL:
            smooth = 2 * qx[i] + xa + xb
            change = ya - yb
            from_r += (change - smooth,)
            from_l += (change + smooth,)
            result += (total[i] + 2 * change,)
        else:
            own = total[i] + taps[7] * xa + taps[4] * qx[i] + taps[1] * xb
            result += (own + taps[16] * ya + taps[13] * qy[i] + taps[10] * yb,)
            side = taps[8] * xa + taps[5] * qx[i] + taps[2] * xb
            from_l += (side + taps[17] * ya + taps[14] * qy[i] + taps[11] * yb,)
            side = taps[6] * xa + taps[3] * qx[i] + taps[0] * xb
            from_r += (side + taps[15] * ya + taps[12] * qy[i] + taps[9] * yb,)
    total = ()
    for i in tl.static_range(K.PIXELS):
        value = left_factor(1.0, p, i, K) * from_left(from_l, p, i, K)
        value += right_factor(1.0, p, i, K) * from_right(from_r, p, i, K)
        total += (zero_outside(result[i] + value, p, i, EXACT, K),)
    return total


@triton.jit
def gradient(u, p, taps, K: tl.constexpr):
    """Gradient of u. tvl1's is 0 in the last column or row."""
    if K.PAPER:
        return paper_gradient(u, p, taps, K.SOBEL, K)
    else:
        qx, qy = (), ()
        for i in tl.static_range(K.PIXELS):
            k0, k1 = tvl1_taps_x(taps, p, i, K)
            qx += (k0 * u[i] + k1 * from_right(u, p, i, K),)
            value = taps[2] * u[i]
            value += taps[3] * from_below(u, p, i, K)
            qy += (zero_last_row(value, p, i, K),)
        return qx, qy


@triton.jit
def tvl1_taps_x(taps, p, i: tl.constexpr, K: tl.constexpr):
    """tvl1's taps along x, but 0 in the last column."""
    if K.EXACT and i % K.COLS < K.COLS - 1:
        return taps[0], taps[1]
    else:
        ok = p.x + i % K.COLS + 1 < p.w
        return tl.where(ok, taps[0], 0.0), tl.where(ok, taps[1], 0.0)


@triton.jit
def zero_last_row(value, p, i: tl.constexpr, K: tl.constexpr):
    """The value at pixel i, but 0 in the last row."""
    if K.EXACT and i < (K.ROWS - 1) * K.COLS:
        return value
    else:
        return tl.where(p.y + i // K.COLS + 1 < p.h, value, 0.0)


@triton.jit
def gradient_backward(total, qx, qy, p, taps, K: tl.constexpr):
    """Adjoint of gradient, added to total."""
    if K.PAPER:
        return paper_gradient_backward(total, qx, qy, p, taps, K.EXACT, K.SOBEL, K)
    else:
        below, result = (), ()
        for i in tl.static_range(K.PIXELS):
            below += (zero_last_row(qy[i], p, i, K),)
        for i in tl.static_range(K.PIXELS):
            k0, _ = tvl1_taps_x(taps, p, i, K)
            value = total[i] + k0 * qx[i] + taps[2] * below[i]
            value += left_factor(taps[1], p, i, K) * from_left(qx, p, i, K)
            above = from_above(below, p, i, K)
            value += above_factor(taps[3], p, i, K) * above
            result += (zero_outside(value, p, i, K.EXACT, K),)
        return result


@triton.jit
def paper_kernel_grads(grads, u, qx, qy, p, K: tl.constexpr):
    """Gradients of paper_gradient's taps from those of qx and qy, added to grads."""
    left, right = (), ()
    for i in tl.static_range(K.PIXELS):
        left += (left_factor(1.0, p, i, K) * from_left(u, p, i, K),)
        right += (right_factor(1.0, p, i, K) * from_right(u, p, i, K),)
    columns = (left, u, right)
    result = ()
    for tap in tl.static_range(18):
        total = grads[tap]
        for i in tl.static_range(K.PIXELS):
            if tap % 9 < 3:
                value = above_factor(1.0, p, i, K)
                value *= from_above(columns[tap % 3], p, i, K)
            elif tap % 9 < 6:
                value = columns[tap % 3][i]
            else:
                value = below_factor(1.0, p, i, K)
                value *= from_below(columns[tap % 3], p, i, K)
            total += (qx if tap < 9 else qy)[i] * value
        result += (total,)
    return result


@triton.jit
def flow_kernel_grads(grads, u, qx, qy, p, K: tl.constexpr):
    """Gradients of gradient's taps from those of qx and qy, added to grads."""
    if K.PAPER:
        return paper_kernel_grads(grads, u, qx, qy, p, K)
    else:
        x0, x1, y0, y1 = grads
        for i in tl.static_range(K.PIXELS):
            x = right_factor(qx[i], p, i, K)
            if not K.EXACT:
                x = tl.where(p.x + i % K.COLS + 1 < p.w, x, 0.0)
            y = zero_last_row(qy[i], p, i, K)
            x0 += x * u[i]
            x1 += x * from_right(u, p, i, K)
            y0 += y * u[i]
            y1 += y * from_below(u, p, i, K)
        return (x0, x1, y0, y1)
