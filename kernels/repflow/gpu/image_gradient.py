"""The image gradient and its adjoint, in Triton."""

import triton
import triton.language as tl

from .derivatives import (
    kernel_sums,
    load_taps,
    paper_gradient,
    paper_gradient_back,
)
from .patches import (
    from_above,
    from_below,
    from_left,
    from_right,
    load_field,
    zero_field,
    zero_outside,
    zeros,
)


@triton.jit
def _neighbors(
    field, p, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    ALONG_Y: tl.constexpr,
):  # fmt: skip
    """Those before and after each pixel along an axis."""
    before, after = (), ()
    for i in tl.static_range(ROWS * COLS):
        if ALONG_Y:
            before += (from_above(field, p, i, ROWS, COLS, TALL),)
            after += (from_below(field, p, i, ROWS, COLS, TALL),)
        else:
            before += (from_left(field, p, i, COLS),)
            after += (from_right(field, p, i, COLS),)
    return before, after


@triton.jit
def _central(
    f1, f2, before, after, image_ptr, p, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, ALONG_Y: tl.constexpr,
):  # fmt: skip
    """tvl1's image gradient along one axis; see note 2 of reference.py.

    before, after: the neighbors in F2.
    """
    taps = load_taps(image_ptr + (3 if ALONG_Y else 0), 3)
    low, high = _neighbors(f1, p, ROWS, COLS, TALL, ALONG_Y)
    result = ()
    for i in tl.static_range(ROWS * COLS):
        if ALONG_Y:
            place, size = p.y + i // COLS, p.h
        else:
            place, size = p.x + i % COLS, p.w
        value = taps[0] * before[i] + taps[1] * f2[i] + taps[2] * after[i]
        value = tl.where(place == size - 1, 0.5 * (f1[i] - low[i]), value)
        value = tl.where(place == 0, 0.5 * (high[i] - f1[i]), value)
        value = tl.where(size > 1, value, 0.0)
        result += (zero_outside(value, p, i, COLS, False),)
    return result


@triton.jit
def _central_back(
    g, taps, p, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    ALONG_Y: tl.constexpr,
):  # fmt: skip
    """Adjoint of _central: gradients of F1 and of F2."""
    inner, border, first, second = (), (), (), ()
    for i in tl.static_range(ROWS * COLS):
        if ALONG_Y:
            place, size = p.y + i // COLS, p.h
        else:
            place, size = p.x + i % COLS, p.w
        at_end = (place == 0) | (place == size - 1)
        inner += (tl.where(at_end, 0.0, g[i]),)
        value = tl.where(at_end & (size > 1), 0.5 * g[i], 0.0)
        border += (tl.where(place == 0, -value, value),)
    before, after = _neighbors(inner, p, ROWS, COLS, TALL, ALONG_Y)
    low, high = _neighbors(border, p, ROWS, COLS, TALL, ALONG_Y)
    for i in tl.static_range(ROWS * COLS):
        if ALONG_Y:
            place, size = p.y + i // COLS, p.h
        else:
            place, size = p.x + i % COLS, p.w
        value = taps[1] * inner[i] + tl.where(place > 0, taps[2] * before[i], 0.0)
        second += (value + tl.where(place + 1 < size, taps[0] * after[i], 0.0),)
        value = border[i] - tl.where(place == 1, low[i], 0.0)
        first += (value - tl.where(place == size - 2, high[i], 0.0),)
    return first, second


@triton.jit
def image_gradient(
    f1, f2, image_ptr, p, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    PAPER: tl.constexpr,
):  # fmt: skip
    """From the two frames; in a window, its outermost pixels are not right."""
    if PAPER:
        taps = load_taps(image_ptr, 18)
        gx, gy = paper_gradient(f2, p, taps, ROWS, COLS, TALL, False)
        rx, ry = (), ()
        for i in tl.static_range(ROWS * COLS):
            rx += (zero_outside(gx[i], p, i, COLS, False),)
            ry += (zero_outside(gy[i], p, i, COLS, False),)
        return rx, ry
    else:
        left, right = _neighbors(f2, p, ROWS, COLS, TALL, False)
        gx = _central(f1, f2, left, right, image_ptr, p, ROWS, COLS, TALL, False)
        above, below = _neighbors(f2, p, ROWS, COLS, TALL, True)
        gy = _central(f1, f2, above, below, image_ptr, p, ROWS, COLS, TALL, True)
        return gx, gy


@triton.jit
def image_gradient_to_edges(
    f1, f2, second_ptr, stride_h, stride_w, image_ptr, p,
    ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr, PAPER: tl.constexpr,
):  # fmt: skip
    """The same, right at a window's edges, too: neighbors in F2 come from memory."""
    if PAPER:
        gx = zero_field(f1[0].shape[0], ROWS, COLS)
        gy = gx
        for tap in tl.static_range(9):
            near = load_field(
                second_ptr, stride_h, stride_w, p, p.inside, ROWS, COLS,
                tap // 3 - 1, tap % 3 - 1,
            )  # fmt: skip
            kx, ky = tl.load(image_ptr + tap), tl.load(image_ptr + 9 + tap)
            sx, sy = (), ()
            for i in tl.static_range(ROWS * COLS):
                value = zero_outside(near[i], p, i, COLS, False)
                sx += (gx[i] + kx * value,)
                sy += (gy[i] + ky * value,)
            gx, gy = sx, sy
        return gx, gy
    else:
        g = ()
        for axis in tl.static_range(2):
            before = load_field(
                second_ptr, stride_h, stride_w, p, p.inside, ROWS, COLS,
                -axis, axis - 1,
            )  # fmt: skip
            after = load_field(
                second_ptr, stride_h, stride_w, p, p.inside, ROWS, COLS,
                axis, 1 - axis,
            )  # fmt: skip
            g += (
                _central(
                    f1, f2, before, after, image_ptr, p, ROWS, COLS, TALL, axis == 1
                ),
            )
        return g


@triton.jit
def image_gradient_back(
    rho, gx, gy, image_ptr, p, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, PAPER: tl.constexpr,
):  # fmt: skip
    """Gradients of F1 and F2 from those of F2 - F1 and of the image gradient."""
    if PAPER:
        first = ()
        for i in tl.static_range(ROWS * COLS):
            first += (-rho[i],)
        taps = load_taps(image_ptr, 18)
        second = paper_gradient_back(
            rho, gx, gy, p, taps, ROWS, COLS, TALL, False, False
        )
        return first, second
    else:
        taps = load_taps(image_ptr, 3)
        first_x, second_x = _central_back(gx, taps, p, ROWS, COLS, TALL, False)
        taps = load_taps(image_ptr + 3, 3)
        first_y, second_y = _central_back(gy, taps, p, ROWS, COLS, TALL, True)
        first, second = (), ()
        for i in tl.static_range(ROWS * COLS):
            first += (first_x[i] + first_y[i] - rho[i],)
            second += (second_x[i] + second_y[i] + rho[i],)
        return first, second


@triton.jit
def image_sums(
    f2, gx, gy, p, GROUPS: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, PAPER: tl.constexpr,
):  # fmt: skip
    """Gradient of the image kernel from those of the image gradient."""
    if PAPER:
        sums = zeros(18, GROUPS)
        return kernel_sums(sums, f2, gx, gy, p, ROWS, COLS, TALL, False, PAPER)
    else:
        zero = tl.zeros([GROUPS, 32], tl.float32)
        x0, x1, x2, y0, y1, y2 = zero, zero, zero, zero, zero, zero
        for i in tl.static_range(ROWS * COLS):
            y, x = p.y + i // COLS, p.x + i % COLS
            inner = (x > 0) & (x + 1 < p.w)
            g = tl.where(inner, gx[i], 0.0)
            x0 += g * from_left(f2, p, i, COLS)
            x1 += g * f2[i]
            x2 += g * from_right(f2, p, i, COLS)
            inner = (y > 0) & (y + 1 < p.h)
            g = tl.where(inner, gy[i], 0.0)
            y0 += g * from_above(f2, p, i, ROWS, COLS, TALL)
            y1 += g * f2[i]
            y2 += g * from_below(f2, p, i, ROWS, COLS, TALL)
        return (x0, x1, x2, y0, y1, y2)
