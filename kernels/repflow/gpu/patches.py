"""Patches of maps in the threads of a program, in Triton.

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
"""

from typing import NamedTuple

import triton
import triton.language as tl


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


@triton.jit
def zeros(COUNT: tl.constexpr, GROUPS: tl.constexpr):
    """Sums, one of every thread: they become one of the program at its end."""
    sums = ()
    for _ in tl.static_range(COUNT):
        sums += (tl.zeros([GROUPS, 32], tl.float32),)
    return sums


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


@triton.jit
def load_fields(
    ptr, map_stride, p, COUNT: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr
):
    """Fields of the maps that begin at ptr: of a state u1, u2, p11, p12, p21, p22."""
    fields = ()
    for index in tl.static_range(COUNT):
        at = ptr + (0 * p.n + index) * map_stride
        fields += (load_field(at, p.w, 1, p, p.inside, ROWS, COLS),)
    return fields


@triton.jit
def store_fields(
    ptr, map_stride, fields, p, COUNT: tl.constexpr, ROWS: tl.constexpr,
    COLS: tl.constexpr,
):  # fmt: skip
    for index in tl.static_range(COUNT):
        at = ptr + (0 * p.n + index) * map_stride
        store_field(at, p.w, 1, fields[index], p, ROWS, COLS)


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
