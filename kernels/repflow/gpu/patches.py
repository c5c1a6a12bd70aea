"""Patches of maps in the threads of a program, in Triton.

A thread holds a patch of ROWS x COLS pixels in registers. A field is a tuple of PIXELS
tensors (GROUPS, 32), one for each pixel of a patch, row after row. A row of patches
lies in the lanes of one warp: left and right neighbors are in the thread or a shuffle
away. A map's rows of patches, its strips, lie side by side in one warp or, where TALL,
in one warp after another: above and below is then an exchange through shared memory,
for the first and last row of the patches only. Several small maps share a program; they
have one channel, so that tvl1's kernels are scalars.

Where a neighbor is missing, its index is the patch's own (a NaN stays in its map) and
a factor 0 removes the term. EXACT says that patches cover the map exactly; otherwise
pixels past its last row and column exist, and every quantity is held at 0 there.

In all kernels, K is the Constants (constants.py) that they are compiled for, p the
Patches of the program, i the number of a pixel in its patch, and ``at`` tensors of
pointers. An index that is multiplied by a stride is made int64 by adding it to 0 * p.n.
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
    n: tl.tensor  # its map: clip and time, int64
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
    maps_per_program,
    group,  # of maps, this program's
    h,
    w,
    halo_before,  # rows and columns at a tile's begin that its neighbor computes
    halo_after,  # and at its end
    tile,  # this program's
    tiles_x,
    K: tl.constexpr,
):
    """Patches of a group of whole maps, or of a tile of one map."""
    zero = tl.zeros([K.GROUPS, 32], tl.int32)
    warp = tl.arange(0, K.GROUPS)[:, None] + zero
    lane = tl.arange(0, 32)[None, :] + zero
    if K.TILED:
        lanes, strips = 32, K.GROUPS
    else:
        lanes, strips = tl.cdiv(w, K.COLS), tl.cdiv(h, K.ROWS)
    slots = 32 // lanes
    slot, column = lane // lanes, lane % lanes
    if K.TALL:
        strip = warp % strips
        number = (warp // strips) * slots + slot
        used = (slot < slots) & (warp < (K.GROUPS // strips) * strips)
        own, step, last = warp * 32 + lane, 32, K.GROUPS * 32 - 1
    else:
        strip = slot % strips
        number = warp * (slots // strips) + slot // strips
        used = slot < (slots // strips) * strips
        own, step, last = lane, lanes, 31
    left = tl.where(column > 0, lane - 1, lane)
    right = tl.minimum(tl.where(column < lanes - 1, lane + 1, lane), 31)
    up = tl.where(strip > 0, own - step, own)
    down = tl.minimum(tl.where(strip < strips - 1, own + step, own), last)
    pair = group * maps_per_program + number
    inside = used & (number < maps_per_program) & (pair < pairs)
    n = (pair // pairs_per_clip).to(tl.int64)
    t = (pair % pairs_per_clip).to(tl.int64)
    y, x = strip * K.ROWS, column * K.COLS
    y_begin, x_begin, y_end, x_end = 0, 0, h, w
    if K.TILED:
        height: tl.constexpr = K.GROUPS * K.ROWS
        width: tl.constexpr = 32 * K.COLS
        y0 = (tile // tiles_x) * (height - halo_before - halo_after)
        x0 = (tile % tiles_x) * (width - halo_before - halo_after)
        y, x = y + y0, x + x0
        # A tile at the map's border has nothing to leave to others there.
        y_begin = tl.where(y0 > 0, y0 + halo_before, 0)
        x_begin = tl.where(x0 > 0, x0 + halo_before, 0)
        y_end = tl.where(y0 + height < h, y0 + height - halo_after, h)
        x_end = tl.where(x0 + width < w, x0 + width - halo_after, w)
    return Patches(
        y, x, left, right, up, down, inside, n, t, h, w, y_begin, y_end, x_begin, x_end
    )


@triton.jit
def is_own(p, y, x):
    """Whether this program computes the pixel at y, x of its map."""
    return (y >= p.y_begin) & (y < p.y_end) & (x >= p.x_begin) & (x < p.x_end)


@triton.jit
def own_pixels(field, p, K: tl.constexpr):
    """The field, but 0 in the pixels of a tile that its neighbor computes."""
    if K.TILED:
        result = ()
        for i in tl.static_range(K.PIXELS):
            own = p.inside & is_own(p, p.y + i // K.COLS, p.x + i % K.COLS)
            result += (tl.where(own, field[i], 0.0),)
        return result
    else:
        return field


@triton.jit
def in_map(p, i: tl.constexpr, K: tl.constexpr):
    """Whether pixel i of a patch exists."""
    return (p.y + i // K.COLS < p.h) & (p.x + i % K.COLS < p.w)


@triton.jit
def zero_outside(value, p, i: tl.constexpr, EXACT: tl.constexpr, K: tl.constexpr):
    """The value at pixel i, but 0 where it does not exist; if EXACT, all exist."""
    if EXACT:
        return value
    else:
        return tl.where(in_map(p, i, K), value, 0.0)


@triton.jit
def zero_field(K: tl.constexpr):
    """A field of zeros."""
    field = ()
    for _ in tl.static_range(K.PIXELS):
        field += (tl.zeros([K.GROUPS, 32], tl.float32),)
    return field


@triton.jit
def plus(a, b, K: tl.constexpr):
    """Sum of two fields."""
    total = ()
    for i in tl.static_range(K.PIXELS):
        total += (a[i] + b[i],)
    return total


@triton.jit
def zeros(COUNT: tl.constexpr, K: tl.constexpr):
    """COUNT sums, each with a part in every thread."""
    sums = ()
    for _ in tl.static_range(COUNT):
        sums += (tl.zeros([K.GROUPS, 32], tl.float32),)
    return sums


@triton.jit
def from_left(field, p, i: tl.constexpr, K: tl.constexpr):
    """The field to the left of pixel i; anything where there is none."""
    if i % K.COLS > 0:
        return field[i - 1]
    else:
        return tl.gather(field[i + K.COLS - 1], p.left, 1)


@triton.jit
def from_right(field, p, i: tl.constexpr, K: tl.constexpr):
    """The field to the right of pixel i; anything where there is none."""
    if i % K.COLS < K.COLS - 1:
        return field[i + 1]
    else:
        return tl.gather(field[i - K.COLS + 1], p.right, 1)


@triton.jit
def _from_strip(value, index, K: tl.constexpr):
    """The value of the patch of that index in the strip above or below."""
    if K.TALL:
        groups: tl.constexpr = value.shape[0]
        flat = tl.reshape(value, [groups * 32])
        flat = tl.gather(flat, tl.reshape(index, [groups * 32]), 0)
        return tl.reshape(flat, [groups, 32])
    else:
        return tl.gather(value, index, 1)


@triton.jit
def from_above(field, p, i: tl.constexpr, K: tl.constexpr):
    """The field above pixel i; anything where there is none."""
    if i >= K.COLS:
        return field[i - K.COLS]
    else:
        return _from_strip(field[i + (K.ROWS - 1) * K.COLS], p.up, K)


@triton.jit
def from_below(field, p, i: tl.constexpr, K: tl.constexpr):
    """The field below pixel i; anything where there is none."""
    if i < (K.ROWS - 1) * K.COLS:
        return field[i + K.COLS]
    else:
        return _from_strip(field[i - (K.ROWS - 1) * K.COLS], p.down, K)


# Factors of a neighbor's term. Within the patch there always is a neighbor, or it is 0
# itself.


@triton.jit
def left_factor(factor, p, i: tl.constexpr, K: tl.constexpr):
    """The factor, but 0 where there is no pixel to the left of pixel i."""
    if i % K.COLS > 0:
        return factor
    else:
        return tl.where(p.x > 0, factor, 0.0)


@triton.jit
def right_factor(factor, p, i: tl.constexpr, K: tl.constexpr):
    """The factor, but 0 where there is no pixel to the right of pixel i."""
    if i % K.COLS < K.COLS - 1:
        return factor
    else:
        return tl.where(p.x + K.COLS < p.w, factor, 0.0)


@triton.jit
def above_factor(factor, p, i: tl.constexpr, K: tl.constexpr):
    """The factor, but 0 where there is no pixel above pixel i."""
    if i >= K.COLS:
        return factor
    else:
        return tl.where(p.y > 0, factor, 0.0)


@triton.jit
def below_factor(factor, p, i: tl.constexpr, K: tl.constexpr):
    """The factor, but 0 where there is no pixel below pixel i."""
    if i < (K.ROWS - 1) * K.COLS:
        return factor
    else:
        return tl.where(p.y + K.ROWS < p.h, factor, 0.0)
