"""Fields in memory, in Triton: some of them are loaded and stored at a time.

Triton's compile time grows with the accesses times the square of the operations, hence
few accesses. What one of them moves is a block, (GROUPS, 32, COUNT * PLACES): field
after field, and in it column after column of a patch, each padded to COLUMN pixels. In
memory's order of axes, (COUNT * PLACES, GROUPS, 32), Triton is to deal the last axes
out to the threads, so that each holds its patch, as everywhere else, and no value
changes threads; see pointers.

K, p: see patches.py. ptr: where the maps begin that the patches are of.
"""

import triton
import triton.language as tl

from .patches import is_own


@triton.jit
def _join(parts, COUNT: tl.constexpr, BEGIN: tl.constexpr, STEP: tl.constexpr):
    """Parts BEGIN, BEGIN + STEP and so on, COUNT in all, along new last axes of 2."""
    if COUNT == 1:
        return parts[BEGIN]
    else:
        even = _join(parts, COUNT // 2, BEGIN, 2 * STEP)
        odd = _join(parts, COUNT // 2, BEGIN + STEP, 2 * STEP)
        return tl.join(even, odd)


@triton.jit
def _split(block, COUNT: tl.constexpr, K: tl.constexpr):
    """The COUNT parts of a block."""
    if COUNT == 2:
        return tl.split(block)
    else:
        even, odd = tl.split(tl.reshape(block, [K.GROUPS, 32, COUNT // 2, 2]))
        even, odd = _split(even, COUNT // 2, K), _split(odd, COUNT // 2, K)
        parts = ()
        for i in tl.static_range(COUNT // 2):
            parts += (even[i], odd[i])
        return parts


@triton.jit
def to_block(fields, COUNT: tl.constexpr, K: tl.constexpr):
    """COUNT fields, a power of 2, as a block; its padding repeats a pixel."""
    parts = ()
    for i in tl.static_range(COUNT * K.PLACES):
        field = fields[i // K.PLACES]
        if i % K.COLUMN < K.ROWS:
            parts += (field[i % K.COLUMN * K.COLS + i % K.PLACES // K.COLUMN],)
        else:
            parts += (field[0],)
    block = _join(parts, COUNT * K.PLACES, 0, 1)
    return tl.reshape(block, [K.GROUPS, 32, COUNT * K.PLACES])


@triton.jit
def from_block(block, COUNT: tl.constexpr, K: tl.constexpr):
    """Inverse of to_block."""
    parts = _split(block, COUNT * K.PLACES, K)
    fields = ()
    for index in tl.static_range(COUNT):
        field = ()
        for i in tl.static_range(K.PIXELS):
            field += (parts[index * K.PLACES + i % K.COLS * K.COLUMN + i // K.COLS],)
        fields += (field,)
    return fields


@triton.jit
def places(p, COUNT: tl.constexpr, K: tl.constexpr):
    """The field of every place in memory, whether it is a pixel's, and y and x."""
    place = tl.arange(0, COUNT * K.PLACES)[:, None, None]
    row, column = place % K.COLUMN, place % K.PLACES // K.COLUMN
    ok = (row < K.ROWS) & p.inside[None, :, :]
    return place // K.PLACES, ok, p.y[None, :, :] + row, p.x[None, :, :] + column


@triton.jit
def pointers(ptr, offset, stride_h, stride_w, y, x):
    """To y and x of maps, offset from ptr.

    Triton deals the axis out to the threads first along which most addresses follow
    each other. It sees none along any axis here, and versions disagree about what is
    first then; so each axis is said to have more than the one before. Addresses are
    said to be multiples of 1 byte only, so that it never takes two for one vector.
    """
    at = ptr[None, :, :] + offset + (y * stride_h + x * stride_w)
    return tl.multiple_of(tl.max_contiguous(at, [1, 2, 4]), [1, 1, 1])


@triton.jit
def load_places(ptr, offset, stride_h, stride_w, y, x, ok, p):
    """What lies at y and x of maps, offset from ptr, in float32; 0 where not ok.

    It is 0 where there is no pixel, too.
    """
    at = pointers(ptr, offset, stride_h, stride_w, y, x)
    ok = ok & (y < p.h) & (x < p.w)
    return tl.load(at, mask=ok, other=0.0).to(tl.float32)


@triton.jit
def load_fields(
    ptr, stride, stride_h, stride_w, p, COUNT: tl.constexpr, K: tl.constexpr,
    OWN: tl.constexpr = False, exist=True,
):  # fmt: skip
    """COUNT fields that lie a stride apart, in float32; 0 where there is no pixel.

    OWN: 0 in the pixels of a tile that its neighbor computes, and may be storing.
    exist: whether the fields do; otherwise they are 0, too.
    """
    end = tl.where(exist, COUNT, 0)
    padded = ()
    for begin in tl.static_range(0, COUNT, K.AT_ONCE):
        padded += load_some(
            ptr, stride, stride_h, stride_w, p, begin, end,
            K.AT_ONCE if COUNT - begin > K.AT_ONCE // 2 else K.AT_ONCE // 2, OWN, K,
        )  # fmt: skip
    fields = ()
    for index in tl.static_range(COUNT):
        fields += (padded[index],)
    return fields


@triton.jit
def load_some(
    ptr, stride, stride_h, stride_w, p, BEGIN: tl.constexpr, end,
    SIZE: tl.constexpr, OWN: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """SIZE fields from BEGIN on, of which those from end on are 0."""
    field, ok, y, x = places(p, SIZE, K)
    field += BEGIN
    ok = ok & (field < end)
    if OWN:
        ok = ok & is_own(p, y, x)
    offset = field.to(tl.int64) * stride
    values = load_places(ptr, offset, stride_h, stride_w, y, x, ok, p)
    return from_block(tl.permute(values, 1, 2, 0), SIZE, K)


@triton.jit
def store_fields(
    ptr, stride, stride_h, stride_w, fields, p, COUNT: tl.constexpr, K: tl.constexpr
):
    """Store the pixels that the program computes, the inverse of load_fields."""
    for begin in tl.static_range(0, COUNT, K.AT_ONCE):
        some = ()
        for i in tl.static_range(K.AT_ONCE):
            some += (fields[begin + i if begin + i < COUNT else begin],)
        _store_some(
            ptr, stride, stride_h, stride_w, some, p, begin, COUNT,
            K.AT_ONCE if COUNT - begin > K.AT_ONCE // 2 else K.AT_ONCE // 2, K,
        )  # fmt: skip


@triton.jit
def _store_some(
    ptr, stride, stride_h, stride_w, fields, p, BEGIN: tl.constexpr,
    END: tl.constexpr, SIZE: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """SIZE fields from BEGIN on, but for those from END on."""
    field, ok, y, x = places(p, SIZE, K)
    field += BEGIN
    offset = field.to(tl.int64) * stride
    at = pointers(ptr, offset, stride_h, stride_w, y, x)
    block = tl.permute(to_block(fields, SIZE, K), 2, 0, 1)
    tl.store(at, block, mask=ok & (field < END) & is_own(p, y, x))
