"""The image gradient and its adjoint, in Triton.

K, p, i: see patches.py. f1, f2: the fields of the two frames.
"""

import triton
import triton.language as tl

from .derivatives import (
    load_taps,
    paper_gradient,
    paper_gradient_backward,
    paper_kernel_grads,
)
from .memory import from_block, load_places, places
from .patches import (
    from_above,
    from_below,
    from_left,
    from_right,
    zero_field,
    zero_outside,
    zeros,
)


@triton.jit
def _neighbors(field, p, ALONG_Y: tl.constexpr, K: tl.constexpr):
    """The pixels before and after each pixel along an axis."""
    before, after = (), ()
    for i in tl.static_range(K.PIXELS):
        if ALONG_Y:
            before += (from_above(field, p, i, K),)
            after += (from_below(field, p, i, K),)
        else:
            before += (from_left(field, p, i, K),)
            after += (from_right(field, p, i, K),)
    return before, after


@triton.jit
def _central(
    f1, f2, before, after, image_ptr, p, ALONG_Y: tl.constexpr, K: tl.constexpr
):
    """tvl1's image gradient along one axis; see note 2 of reference.py.

    before, after: the neighbors in F2.
    """
    taps = load_taps(image_ptr + (3 if ALONG_Y else 0), 3)
    low, high = _neighbors(f1, p, ALONG_Y, K)
    result = ()
    for i in tl.static_range(K.PIXELS):
        if ALONG_Y:
            index, size = p.y + i // K.COLS, p.h
        else:
            index, size = p.x + i % K.COLS, p.w
        value = taps[0] * before[i] + taps[1] * f2[i] + taps[2] * after[i]
        value = tl.where(index == size - 1, 0.5 * (f1[i] - low[i]), value)
        value = tl.where(index == 0, 0.5 * (high[i] - f1[i]), value)
        value = tl.where(size > 1, value, 0.0)
        result += (zero_outside(value, p, i, False, K),)
    return result


@triton.jit
def _central_backward(g, taps, p, ALONG_Y: tl.constexpr, K: tl.constexpr):
    """Adjoint of _central: gradients of F1 and of F2."""
    inner, border, first, second = (), (), (), ()
    for i in tl.static_range(K.PIXELS):
        if ALONG_Y:
            index, size = p.y + i // K.COLS, p.h
        else:
            index, size = p.x + i % K.COLS, p.w
        at_end = (index == 0) | (index == size - 1)
        inner += (tl.where(at_end, 0.0, g[i]),)
        value = tl.where(at_end & (size > 1), 0.5 * g[i], 0.0)
        border += (tl.where(index == 0, -value, value),)
    before, after = _neighbors(inner, p, ALONG_Y, K)
    low, high = _neighbors(border, p, ALONG_Y, K)
    for i in tl.static_range(K.PIXELS):
        if ALONG_Y:
            index, size = p.y + i // K.COLS, p.h
        else:
            index, size = p.x + i % K.COLS, p.w
        value = taps[1] * inner[i] + tl.where(index > 0, taps[2] * before[i], 0.0)
        second += (value + tl.where(index + 1 < size, taps[0] * after[i], 0.0),)
        value = border[i] - tl.where(index == 1, low[i], 0.0)
        first += (value - tl.where(index == size - 2, high[i], 0.0),)
    return first, second


@triton.jit
def image_gradient(f1, f2, image_ptr, p, K: tl.constexpr):
    """Gradient (gx, gy) of F2; wrong in the outermost pixels of a tile."""
    if K.PAPER:
        taps = load_taps(image_ptr, 18)
        gx, gy = paper_gradient(f2, p, taps, False, K)
        rx, ry = (), ()
        for i in tl.static_range(K.PIXELS):
            rx += (zero_outside(gx[i], p, i, False, K),)
            ry += (zero_outside(gy[i], p, i, False, K),)
        return rx, ry
    else:
        left, right = _neighbors(f2, p, False, K)
        gx = _central(f1, f2, left, right, image_ptr, p, False, K)
        above, below = _neighbors(f2, p, True, K)
        gy = _central(f1, f2, above, below, image_ptr, p, True, K)
        return gx, gy


@triton.jit
def _load_neighbors(ptr, stride_h, stride_w, p, COUNT: tl.constexpr, K: tl.constexpr):
    """All 8 neighbors of each pixel, row after row; or left, right, above and below."""
    index, ok, y, x = places(p, COUNT, K)
    if COUNT == 8:
        tap = tl.where(index < 4, index, index + 1)
    else:
        tap = tl.where(index < 2, 3 + 2 * index, 6 * index - 11)
    y, x = y + tap // 3 - 1, x + tap % 3 - 1
    ok = ok & (y >= 0) & (x >= 0)
    values = load_places(ptr, 0, stride_h, stride_w, y, x, ok, p)
    return from_block(tl.permute(values, 1, 2, 0), COUNT, K)


@triton.jit
def image_gradient_to_edges(
    f1, f2, second_ptr, stride_h, stride_w, image_ptr, p, K: tl.constexpr
):
    """The same, right at a tile's edges, too: neighbors in F2 come from memory."""
    if K.PAPER:
        near = _load_neighbors(second_ptr, stride_h, stride_w, p, 8, K)
        gx = zero_field(K)
        gy = gx
        for tap in tl.static_range(9):
            kx = tl.load(image_ptr + tap).to(tl.float32)
            ky = tl.load(image_ptr + 9 + tap).to(tl.float32)
            sx, sy = (), ()
            for i in tl.static_range(K.PIXELS):
                if tap == 4:
                    value = f2[i]
                else:
                    value = zero_outside(near[tap - tap // 5][i], p, i, False, K)
                sx += (gx[i] + kx * value,)
                sy += (gy[i] + ky * value,)
            gx, gy = sx, sy
        return gx, gy
    else:
        left, right, above, below = _load_neighbors(
            second_ptr, stride_h, stride_w, p, 4, K
        )
        gx = _central(f1, f2, left, right, image_ptr, p, False, K)
        gy = _central(f1, f2, above, below, image_ptr, p, True, K)
        return gx, gy


@triton.jit
def image_gradient_backward(rho, gx, gy, image_ptr, p, K: tl.constexpr):
    """Gradients of F1 and F2 from those of F2 - F1 and of the image gradient."""
    if K.PAPER:
        first = ()
        for i in tl.static_range(K.PIXELS):
            first += (-rho[i],)
        taps = load_taps(image_ptr, 18)
        second = paper_gradient_backward(rho, gx, gy, p, taps, False, False, K)
        return first, second
    else:
        taps = load_taps(image_ptr, 3)
        first_x, second_x = _central_backward(gx, taps, p, False, K)
        taps = load_taps(image_ptr + 3, 3)
        first_y, second_y = _central_backward(gy, taps, p, True, K)
        first, second = (), ()
        for i in tl.static_range(K.PIXELS):
            first += (first_x[i] + first_y[i] - rho[i],)
            second += (second_x[i] + second_y[i] + rho[i],)
        return first, second


@triton.jit
def image_kernel_grads(f2, gx, gy, p, K: tl.constexpr):
    """Gradients of the image kernel's taps from those of the image gradient."""
    if K.PAPER:
        return paper_kernel_grads(zeros(18, K), f2, gx, gy, p, K)
    else:
        zero = tl.zeros([K.GROUPS, 32], tl.float32)
        x0, x1, x2, y0, y1, y2 = zero, zero, zero, zero, zero, zero
        for i in tl.static_range(K.PIXELS):
            y, x = p.y + i // K.COLS, p.x + i % K.COLS
            inner = (x > 0) & (x + 1 < p.w)
            g = tl.where(inner, gx[i], 0.0)
            x0 += g * from_left(f2, p, i, K)
            x1 += g * f2[i]
            x2 += g * from_right(f2, p, i, K)
            inner = (y > 0) & (y + 1 < p.h)
            g = tl.where(inner, gy[i], 0.0)
            y0 += g * from_above(f2, p, i, K)
            y1 += g * f2[i]
            y2 += g * from_below(f2, p, i, K)
        return (x0, x1, x2, y0, y1, y2)
