"""Derivatives of u and their adjoints, in Triton."""

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
    taps = ()
    for tap in tl.static_range(COUNT):
        taps += (tl.load(ptr + tap),)
    return taps


@triton.jit
def paper_gradient(
    u, p, taps, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    SOBEL: tl.constexpr,
):  # fmt: skip
    left, right = (), ()
    for i in tl.static_range(ROWS * COLS):
        left += (left_factor(1.0, p, i, COLS) * from_left(u, p, i, COLS),)
        right += (right_factor(1.0, p, i, COLS) * from_right(u, p, i, COLS),)
    qx, qy = (), ()
    if SOBEL:
        change, smooth = (), ()
        for i in tl.static_range(ROWS * COLS):
            change += (right[i] - left[i],)
            smooth += (right[i] + left[i] + 2 * u[i],)
        for i in tl.static_range(ROWS * COLS):
            above = above_factor(1.0, p, i, COLS)
            below = below_factor(1.0, p, i, ROWS, COLS)
            total = 2 * change[i] + above * from_above(change, p, i, ROWS, COLS, TALL)
            total += below * from_below(change, p, i, ROWS, COLS, TALL)
            qx += (total,)
            total = below * from_below(smooth, p, i, ROWS, COLS, TALL)
            total -= above * from_above(smooth, p, i, ROWS, COLS, TALL)
            qy += (total,)
    else:
        for i in tl.static_range(ROWS * COLS):
            above = above_factor(1.0, p, i, COLS)
            below = below_factor(1.0, p, i, ROWS, COLS)
            a0 = above * from_above(left, p, i, ROWS, COLS, TALL)
            a1 = above * from_above(u, p, i, ROWS, COLS, TALL)
            a2 = above * from_above(right, p, i, ROWS, COLS, TALL)
            b0 = below * from_below(left, p, i, ROWS, COLS, TALL)
            b1 = below * from_below(u, p, i, ROWS, COLS, TALL)
            b2 = below * from_below(right, p, i, ROWS, COLS, TALL)
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
def paper_gradient_back(
    total, qx, qy, p, taps, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, EXACT: tl.constexpr, SOBEL: tl.constexpr,
):  # fmt: skip
    """Columns are summed first, so that two fields move sideways, not six."""
    from_l, from_r, result = (), (), ()
    for i in tl.static_range(ROWS * COLS):
        above = above_factor(1.0, p, i, COLS)
        below = below_factor(1.0, p, i, ROWS, COLS)
        xa = above * from_above(qx, p, i, ROWS, COLS, TALL)
        xb = below * from_below(qx, p, i, ROWS, COLS, TALL)
        ya = above * from_above(qy, p, i, ROWS, COLS, TALL)
        yb = below * from_below(qy, p, i, ROWS, COLS, TALL)
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
    for i in tl.static_range(ROWS * COLS):
        value = left_factor(1.0, p, i, COLS) * from_left(from_l, p, i, COLS)
        value += right_factor(1.0, p, i, COLS) * from_right(from_r, p, i, COLS)
        total += (zero_outside(result[i] + value, p, i, COLS, EXACT),)
    return total


@triton.jit
def gradient(
    u, p, taps, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    EXACT: tl.constexpr, PAPER: tl.constexpr, SOBEL: tl.constexpr,
):  # fmt: skip
    """Gradient of u. tvl1's is 0 in the last column or row."""
    if PAPER:
        return paper_gradient(u, p, taps, ROWS, COLS, TALL, SOBEL)
    else:
        qx, qy = (), ()
        for i in tl.static_range(ROWS * COLS):
            k0, k1 = tvl1_taps_x(taps, p, i, COLS, EXACT)
            qx += (k0 * u[i] + k1 * from_right(u, p, i, COLS),)
            value = taps[2] * u[i]
            value += taps[3] * from_below(u, p, i, ROWS, COLS, TALL)
            qy += (zero_last_row(value, p, i, ROWS, COLS, EXACT),)
        return qx, qy


@triton.jit
def tvl1_taps_x(taps, p, i: tl.constexpr, COLS: tl.constexpr, EXACT: tl.constexpr):
    if EXACT and i % COLS < COLS - 1:
        return taps[0], taps[1]
    else:
        ok = p.x + i % COLS + 1 < p.w
        return tl.where(ok, taps[0], 0.0), tl.where(ok, taps[1], 0.0)


@triton.jit
def zero_last_row(
    value, p, i: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
    EXACT: tl.constexpr,
):  # fmt: skip
    if EXACT and i < (ROWS - 1) * COLS:
        return value
    else:
        return tl.where(p.y + i // COLS + 1 < p.h, value, 0.0)


@triton.jit
def gradient_back(
    total, qx, qy, p, taps, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, EXACT: tl.constexpr, PAPER: tl.constexpr, SOBEL: tl.constexpr,
):  # fmt: skip
    """Adjoint of gradient, added to total."""
    if PAPER:
        return paper_gradient_back(
            total, qx, qy, p, taps, ROWS, COLS, TALL, EXACT, SOBEL
        )
    else:
        below, result = (), ()
        for i in tl.static_range(ROWS * COLS):
            below += (zero_last_row(qy[i], p, i, ROWS, COLS, EXACT),)
        for i in tl.static_range(ROWS * COLS):
            k0, _ = tvl1_taps_x(taps, p, i, COLS, EXACT)
            value = total[i] + k0 * qx[i] + taps[2] * below[i]
            value += left_factor(taps[1], p, i, COLS) * from_left(qx, p, i, COLS)
            above = from_above(below, p, i, ROWS, COLS, TALL)
            value += above_factor(taps[3], p, i, COLS) * above
            result += (zero_outside(value, p, i, COLS, EXACT),)
        return result


@triton.jit
def kernel_sums(
    sums, u, q1, q2, p, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    EXACT: tl.constexpr, PAPER: tl.constexpr,
):  # fmt: skip
    """Gradient of gradient's kernel from those of its results."""
    if PAPER:
        left, right = (), ()
        for i in tl.static_range(ROWS * COLS):
            left += (left_factor(1.0, p, i, COLS) * from_left(u, p, i, COLS),)
            right += (right_factor(1.0, p, i, COLS) * from_right(u, p, i, COLS),)
        columns = (left, u, right)
        result = ()
        for tap in tl.static_range(18):
            total = sums[tap]
            for i in tl.static_range(ROWS * COLS):
                if tap % 9 < 3:
                    value = above_factor(1.0, p, i, COLS)
                    value *= from_above(columns[tap % 3], p, i, ROWS, COLS, TALL)
                elif tap % 9 < 6:
                    value = columns[tap % 3][i]
                else:
                    value = below_factor(1.0, p, i, ROWS, COLS)
                    value *= from_below(columns[tap % 3], p, i, ROWS, COLS, TALL)
                total += (q1 if tap < 9 else q2)[i] * value
            result += (total,)
        return result
    else:
        k0, k1, k2, k3 = sums
        for i in tl.static_range(ROWS * COLS):
            qx = right_factor(q1[i], p, i, COLS)
            if not EXACT:
                qx = tl.where(p.x + i % COLS + 1 < p.w, qx, 0.0)
            qy = zero_last_row(q2[i], p, i, ROWS, COLS, EXACT)
            k0 += qx * u[i]
            k1 += qx * from_right(u, p, i, COLS)
            k2 += qy * u[i]
            k3 += qy * from_below(u, p, i, ROWS, COLS, TALL)
        return (k0, k1, k2, k3)
