"""The median filter of the flow on the CPU, WIDE pixels at a time.

Columns are sorted once and shared by the windows that hold them. The rows of sorted
columns are then sorted, as far as needed: an element of the result has known numbers of
others below and above it, which leaves 13 of 25 (or 3 of 9) for the median.
"""

from numba import njit

from ..._common.jit import INLINE, JIT
from ..._common.simd import WIDE, vstore
from ..._common.simd import vload_wide as vload
from .iterate import row_of
from .vectors import vmax, vmin


@njit(**INLINE)
def _sort2(a, b):
    """Two in ascending order."""
    return vmin(a, b), vmax(a, b)


@njit(**INLINE)
def _sort3(a, b, c):
    """Three in ascending order."""
    a, b = _sort2(a, b)
    b, c = _sort2(b, c)
    a, b = _sort2(a, b)
    return a, b, c


@njit(**INLINE)
def _sort5(a, b, c, d, e):
    """Five in ascending order."""
    a, b = _sort2(a, b)
    d, e = _sort2(d, e)
    c, e = _sort2(c, e)
    c, d = _sort2(c, d)
    a, d = _sort2(a, d)
    a, c = _sort2(a, c)
    b, e = _sort2(b, e)
    b, d = _sort2(b, d)
    b, c = _sort2(b, c)
    return a, b, c, d, e


@njit(**INLINE)
def _inner3(a, b, c):
    """The middle of three."""
    return vmax(vmin(a, b), vmin(vmax(a, b), c))


@njit(**INLINE)
def _inner4(a, b, c, d):
    """Two of four, without the smallest and the largest."""
    a, b = _sort2(a, b)
    c, d = _sort2(c, d)
    return vmax(a, c), vmin(b, d)


@njit(**INLINE)
def _inner5(a, b, c, d, e):
    """Three of five, without the smallest and the largest."""
    a, b = _sort2(a, b)
    c, d = _sort2(c, d)
    low, high = vmax(a, c), vmin(b, d)
    a, d = vmin(a, c), vmax(b, d)
    # a is the smallest and d the largest of four
    return low, high, _inner3(a, d, e)


@njit(**INLINE)
def _inner6(a, b, c, d, e, f):
    """Four of six, without the smallest and the largest."""
    a, b = _sort2(a, b)
    c, d = _sort2(c, d)
    e, f = _sort2(e, f)
    a, c = _sort2(a, c)
    a, e = _sort2(a, e)
    b, f = _sort2(b, f)
    d, f = _sort2(d, f)
    return b, c, d, e


@njit(**INLINE)
def _inner7(a, b, c, d, e, f, g):
    """Five of seven, without the smallest and the largest."""
    a, b = _sort2(a, b)
    c, d = _sort2(c, d)
    e, f = _sort2(e, f)
    a, c = _sort2(a, c)
    a, e = _sort2(a, e)
    b, f = _sort2(b, f)
    d, f = _sort2(d, f)
    return b, c, d, e, _inner3(a, f, g)


@njit(**INLINE)
def _inner8(a, b, c, d, e, f, g, h):
    """Six of eight, without the smallest and the largest."""
    a, b = _sort2(a, b)
    c, d = _sort2(c, d)
    e, f = _sort2(e, f)
    g, h = _sort2(g, h)
    a, c = _sort2(a, c)
    e, g = _sort2(e, g)
    b, d = _sort2(b, d)
    f, h = _sort2(f, h)
    return vmax(a, e), b, c, vmin(d, h), f, g


@njit(**INLINE)
def _sort5_row(t, i):
    """Five neighbors sorted."""
    return _sort5(
        vload(t, i), vload(t, i + 1), vload(t, i + 2), vload(t, i + 3), vload(t, i + 4)
    )


@njit(**INLINE)
def _median5(t, x, size):
    """The median of 5x5: t holds 5 rows of sorted columns of so many numbers."""
    _, _, _, d0, e0 = _sort5_row(t, x)
    _, _, c1, d1, e1 = _sort5_row(t, x + size)
    _, b2, c2, d2, _ = _sort5_row(t, x + 2 * size)
    a3, b3, c3, _, _ = _sort5_row(t, x + 3 * size)
    a4, b4, _, _, _ = _sort5_row(t, x + 4 * size)
    # Of enough elements neither the smallest nor the largest is the median.
    f, g, h, i, j, k = _inner8(d0, c1, b2, a3, e1, d2, c3, b4)
    f, g, h, i, j = _inner7(f, g, h, i, j, k, c2)
    f, g, h, i = _inner6(f, g, h, i, j, d1)
    f, g, h = _inner5(f, g, h, i, b3)
    f, g = _inner4(f, g, h, e0)
    return _inner3(f, g, a4)


@njit(**INLINE)
def _median3(t, x, size):
    """The medians of windows of 3 x 3 pixels, from three sorted columns."""
    i, j, k = x, x + size, x + 2 * size
    low = vmax(vmax(vload(t, i), vload(t, i + 1)), vload(t, i + 2))
    middle = _inner3(vload(t, j), vload(t, j + 1), vload(t, j + 2))
    high = vmin(vmin(vload(t, k), vload(t, k + 1)), vload(t, k + 2))
    return _inner3(low, middle, high)


@njit(**JIT)
def median_filter(u, u_new, t, side, grid):
    """The median of side x side (3 or 5) pixels of both components of u.

    The border is replicated: this writes beyond the rows of u. t: scratch memory of
    side * 2 pitches.
    """
    pitch, size = grid.pitch, 2 * grid.pitch
    margin = side // 2
    for y in range(grid.h):
        for component in range(2):
            start = row_of(2, y, grid) + component * pitch
            for m in range(1, margin + 1):
                u[start - m] = u[start]
            for x in range(grid.w, min(grid.w + WIDE, grid.pitch - margin)):
                u[start + x] = u[start + grid.w - 1]
    last = grid.h - 1
    for y in range(grid.h):
        for component in range(2):
            shift = component * pitch - margin
            b = row_of(2, max(y - 1, 0), grid) + shift
            c = row_of(2, y, grid) + shift
            d = row_of(2, min(y + 1, last), grid) + shift
            if side == 5:
                a = row_of(2, max(y - 2, 0), grid) + shift
                e = row_of(2, min(y + 2, last), grid) + shift
                for x in range(0, grid.pitch, WIDE):
                    v, w, m, n, o = _sort5(
                        vload(u, a + x),
                        vload(u, b + x),
                        vload(u, c + x),
                        vload(u, d + x),
                        vload(u, e + x),
                    )
                    vstore(t, x, v)
                    vstore(t, size + x, w)
                    vstore(t, 2 * size + x, m)
                    vstore(t, 3 * size + x, n)
                    vstore(t, 4 * size + x, o)
            else:
                for x in range(0, grid.pitch, WIDE):
                    v, w, m = _sort3(vload(u, b + x), vload(u, c + x), vload(u, d + x))
                    vstore(t, x, v)
                    vstore(t, size + x, w)
                    vstore(t, 2 * size + x, m)
            out = row_of(2, y, grid) + component * pitch
            for x in range(0, grid.end, WIDE):
                if side == 5:
                    vstore(u_new, out + x, _median5(t, x, size))
                else:
                    vstore(u_new, out + x, _median3(t, x, size))
