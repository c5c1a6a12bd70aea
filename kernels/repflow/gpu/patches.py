"""Representation flow on GPUs, in Triton: patches of maps, and one iteration on them.

A thread holds a patch of ROWS x COLS pixels in registers. A field is a tuple of
ROWS * COLS tensors (GROUPS, 32), one for each pixel of a patch, row after row. A row
of patches lies in the lanes of one warp: left and right neighbors are in the thread
or a shuffle away. A map's rows of patches, its strips, lie side by side in one warp or,
where TALL, in one warp after another: above and below is then an exchange through
shared memory, for the first and last row of the patches only. Several small maps
share a program; they have one channel, so that tvl1's kernels are scalars.

Where a neighbor is missing, its index is the patch's own (a NaN stays in its map) and
a factor 0 removes the term. EXACT says that patches cover the map exactly; otherwise
pixels past its last row and column exist, and every quantity is held at 0 there.

1 / d is rsqrt(d * d), and sqrt(z) is z * rsqrt(z): one special-function instruction
each, without the range checks of a division (d >= 1, z >= 1e-12).
"""

from typing import NamedTuple

import triton
import triton.language as tl

EPS = tl.constexpr(1e-12)


class Patches(NamedTuple):
    """Where the patches of a program lie; tensors are (GROUPS, 32)."""

    y: tl.tensor  # of a patch's first pixel, in its map
    x: tl.tensor
    left: tl.tensor  # lane of the patch to the left
    right: tl.tensor
    up: tl.tensor  # lane, or where TALL the number in the program
    down: tl.tensor
    inside: tl.tensor  # whether the patch belongs to a map
    n: tl.tensor  # its map: clip and time
    t: tl.tensor
    h: tl.tensor  # size of the maps
    w: tl.tensor
    y_begin: tl.tensor  # the pixels that this program is to compute
    y_end: tl.tensor
    x_begin: tl.tensor
    x_end: tl.tensor


@triton.jit
def place_patches(
    pairs,  # N * pairs_per_clip
    pairs_per_clip,
    maps,  # of a program
    group,  # of maps, this program's
    h,
    w,
    before,  # rows and columns at a window's begin that another computes
    after,  # and at its end
    window,  # this program's
    windows_x,
    GROUPS: tl.constexpr,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
    TALL: tl.constexpr,
    WINDOWS: tl.constexpr,
):
    """Patches of a group of whole maps, or of a window of one map."""
    zero = tl.zeros([GROUPS, 32], tl.int32)
    warp = tl.arange(0, GROUPS)[:, None] + zero
    lane = tl.arange(0, 32)[None, :] + zero
    if WINDOWS:
        lanes, strips = 32, GROUPS
    else:
        lanes, strips = tl.cdiv(w, COLS), tl.cdiv(h, ROWS)
    slots = 32 // lanes
    slot, column = lane // lanes, lane % lanes
    if TALL:
        strip = warp % strips
        number = (warp // strips) * slots + slot
        used = (slot < slots) & (warp < (GROUPS // strips) * strips)
        own, step, last = warp * 32 + lane, 32, GROUPS * 32 - 1
    else:
        strip = slot % strips
        number = warp * (slots // strips) + slot // strips
        used = slot < (slots // strips) * strips
        own, step, last = lane, lanes, 31
    left = tl.where(column > 0, lane - 1, lane)
    right = tl.minimum(tl.where(column < lanes - 1, lane + 1, lane), 31)
    up = tl.where(strip > 0, own - step, own)
    down = tl.minimum(tl.where(strip < strips - 1, own + step, own), last)
    pair = group * maps + number
    inside = used & (number < maps) & (pair < pairs)
    n = (pair // pairs_per_clip).to(tl.int64)
    t = (pair % pairs_per_clip).to(tl.int64)
    y, x = strip * ROWS, column * COLS
    y_begin, x_begin, y_end, x_end = 0, 0, h, w
    if WINDOWS:
        height: tl.constexpr = GROUPS * ROWS
        width: tl.constexpr = 32 * COLS
        y0 = (window // windows_x) * (height - before - after)
        x0 = (window % windows_x) * (width - before - after)
        y, x = y + y0, x + x0
        # A window at the map's border has nothing to leave to others there.
        y_begin = tl.where(y0 > 0, y0 + before, 0)
        x_begin = tl.where(x0 > 0, x0 + before, 0)
        y_end = tl.where(y0 + height < h, y0 + height - after, h)
        x_end = tl.where(x0 + width < w, x0 + width - after, w)
    return Patches(
        y, x, left, right, up, down, inside, n, t, h, w, y_begin, y_end, x_begin, x_end
    )


@triton.jit
def is_own(p, i: tl.constexpr, COLS: tl.constexpr):
    """Whether this program computes pixel i of a patch."""
    y, x = p.y + i // COLS, p.x + i % COLS
    return (
        p.inside & (y >= p.y_begin) & (y < p.y_end) & (x >= p.x_begin) & (x < p.x_end)
    )


@triton.jit
def own_pixels(field, p, ROWS: tl.constexpr, COLS: tl.constexpr, WINDOWS: tl.constexpr):
    """The field, but 0 in the pixels of a window that another computes."""
    if WINDOWS:
        result = ()
        for i in tl.static_range(ROWS * COLS):
            result += (tl.where(is_own(p, i, COLS), field[i], 0.0),)
        return result
    else:
        return field


@triton.jit
def in_map(p, i: tl.constexpr, COLS: tl.constexpr):
    """Whether pixel i of a patch exists."""
    return (p.y + i // COLS < p.h) & (p.x + i % COLS < p.w)


@triton.jit
def zero_outside(value, p, i: tl.constexpr, COLS: tl.constexpr, EXACT: tl.constexpr):
    if EXACT:
        return value
    else:
        return tl.where(in_map(p, i, COLS), value, 0.0)


@triton.jit
def zero_field(GROUPS: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr):
    field = ()
    for _ in tl.static_range(ROWS * COLS):
        field += (tl.zeros([GROUPS, 32], tl.float32),)
    return field


# Memory is read and written four pixels of a patch at a time, as (GROUPS, 32, 4): few
# operations, which Triton's compile time is quadratic in, and vectors where they fit.


@triton.jit
def to_quads(field, SIZE: tl.constexpr):
    quads = ()
    for i in tl.static_range(0, SIZE, 4):
        a = field[i]
        b = field[i + 1] if i + 1 < SIZE else field[i]
        c = field[i + 2] if i + 2 < SIZE else field[i]
        d = field[i + 3] if i + 3 < SIZE else field[i]
        # A join puts its first argument at 0 of a new last axis.
        quad = tl.join(tl.join(a, c), tl.join(b, d))
        quads += (tl.reshape(quad, [a.shape[0], 32, 4]),)
    return quads


@triton.jit
def from_quads(quads, SIZE: tl.constexpr):
    field = ()
    for i in tl.static_range(0, SIZE, 4):
        quad = tl.reshape(quads[i // 4], [quads[i // 4].shape[0], 32, 2, 2])
        ac, bd = tl.split(quad)
        a, c = tl.split(ac)
        b, d = tl.split(bd)
        field += (a,)
        if i + 1 < SIZE:
            field += (b,)
        if i + 2 < SIZE:
            field += (c,)
        if i + 3 < SIZE:
            field += (d,)
    return field


@triton.jit
def _quad(p, i: tl.constexpr, COLS: tl.constexpr, SIZE: tl.constexpr):
    """y and x of pixels i to i + 3 of every patch, and whether the patch has them."""
    pixel = i + tl.arange(0, 4)[None, None, :]
    y = p.y[:, :, None] + pixel // COLS
    x = p.x[:, :, None] + pixel % COLS
    return y, x, pixel < SIZE


@triton.jit
def load_field(
    ptr, stride_h, stride_w, p, exists, ROWS: tl.constexpr, COLS: tl.constexpr,
    DY: tl.constexpr = 0, DX: tl.constexpr = 0,
):  # fmt: skip
    """From the maps that begin at ptr, in float32; 0 where there is no pixel.

    DY, DX: take the pixels so many rows below and columns to the right.
    """
    quads = ()
    for i in tl.static_range(0, ROWS * COLS, 4):
        y, x, ok = _quad(p, i, COLS, ROWS * COLS)
        y, x = y + DY, x + DX
        at = ptr[:, :, None] + y.to(tl.int64) * stride_h + x.to(tl.int64) * stride_w
        ok = ok & exists[:, :, None] & (y < p.h) & (x < p.w)
        if DY < 0 or DX < 0:
            ok = ok & (y >= 0) & (x >= 0)
        value = tl.load(at, mask=ok, other=0.0)
        quads += (value.to(tl.float32),)
    return from_quads(quads, ROWS * COLS)


@triton.jit
def store_field(
    ptr, stride_h, stride_w, field, p, ROWS: tl.constexpr, COLS: tl.constexpr
):
    """To the maps that begin at ptr, the pixels that this program computes."""
    quads = to_quads(field, ROWS * COLS)
    for i in tl.static_range(0, ROWS * COLS, 4):
        y, x, ok = _quad(p, i, COLS, ROWS * COLS)
        ok = ok & p.inside[:, :, None]
        ok = ok & (y >= p.y_begin) & (y < p.y_end) & (x >= p.x_begin) & (x < p.x_end)
        at = ptr[:, :, None] + y.to(tl.int64) * stride_h + x.to(tl.int64) * stride_w
        tl.store(at, quads[i // 4], mask=ok)


# Neighbors of pixel i of every patch; anything where there is none.


@triton.jit
def from_left(field, p, i: tl.constexpr, COLS: tl.constexpr):
    if i % COLS > 0:
        return field[i - 1]
    else:
        return tl.gather(field[i + COLS - 1], p.left, 1)


@triton.jit
def from_right(field, p, i: tl.constexpr, COLS: tl.constexpr):
    if i % COLS < COLS - 1:
        return field[i + 1]
    else:
        return tl.gather(field[i - COLS + 1], p.right, 1)


@triton.jit
def _from_strip(value, index, TALL: tl.constexpr):
    if TALL:
        groups: tl.constexpr = value.shape[0]
        flat = tl.reshape(value, [groups * 32])
        flat = tl.gather(flat, tl.reshape(index, [groups * 32]), 0)
        return tl.reshape(flat, [groups, 32])
    else:
        return tl.gather(value, index, 1)


@triton.jit
def from_above(
    field, p, i: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr,
):  # fmt: skip
    if i >= COLS:
        return field[i - COLS]
    else:
        return _from_strip(field[i + (ROWS - 1) * COLS], p.up, TALL)


@triton.jit
def from_below(
    field, p, i: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr,
):  # fmt: skip
    if i < (ROWS - 1) * COLS:
        return field[i + COLS]
    else:
        return _from_strip(field[i - (ROWS - 1) * COLS], p.down, TALL)


# A factor for the neighbor's term: 0 where there is none. Within the patch there is
# always one, or it is 0 itself.


@triton.jit
def left_factor(factor, p, i: tl.constexpr, COLS: tl.constexpr):
    if i % COLS > 0:
        return factor
    else:
        return tl.where(p.x > 0, factor, 0.0)


@triton.jit
def right_factor(factor, p, i: tl.constexpr, COLS: tl.constexpr):
    if i % COLS < COLS - 1:
        return factor
    else:
        return tl.where(p.x + COLS < p.w, factor, 0.0)


@triton.jit
def above_factor(factor, p, i: tl.constexpr, COLS: tl.constexpr):
    if i >= COLS:
        return factor
    else:
        return tl.where(p.y > 0, factor, 0.0)


@triton.jit
def below_factor(factor, p, i: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr):
    if i < (ROWS - 1) * COLS:
        return factor
    else:
        return tl.where(p.y + ROWS < p.h, factor, 0.0)


@triton.jit
def load_taps(ptr, COUNT: tl.constexpr):
    taps = ()
    for tap in tl.static_range(COUNT):
        taps += (tl.load(ptr + tap),)
    return taps


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


# Derivatives of a field and their adjoints.


@triton.jit
def _paper_gradient(
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
def _paper_gradient_back(
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
        return _paper_gradient(u, p, taps, ROWS, COLS, TALL, SOBEL)
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
        return _paper_gradient_back(
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
        gx, gy = _paper_gradient(f2, p, taps, ROWS, COLS, TALL, False)
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
        second = _paper_gradient_back(
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


# The iteration.


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
