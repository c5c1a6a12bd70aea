"""The inner iterations on the CPU, several in one pass over the rows.

Memory: rows of planes side by side, ``pitch`` numbers each, WIDE zeros at the left of
each plane and one row of zeros above. A row of u holds 2 planes, of p 4 (of u along x
and y, of v along x and y), of coefficients 4 (gradient along x and y, constant part of
the residual, negative inverse of the squared gradient). Beyond the width coefficients
and p are 0, and u is arbitrary but constant.
"""

from typing import NamedTuple

from numba import njit

from ..._common.jit import INLINE, JIT
from ..._common.simd import WIDE, vclamp, vlength, vstore
from ..._common.simd import vload_wide as vload
from ..._common.simd import vsplat_wide as vsplat
from .vectors import vsum

GX, GY, RHO, NEG_INV = range(4)


class Grid(NamedTuple):
    """Sizes of one level: pixels, numbers in a row of a plane, in its whole vectors."""

    h: int
    w: int
    pitch: int
    end: int


class Scheme(NamedTuple):
    """Numbers of the compute type: lam * theta, theta, tau / theta."""

    bound: float
    theta: float
    ratio: float


@njit(**INLINE)
def make_grid(h, w):
    """The grid of a level of h x w pixels."""
    end = (w + WIDE - 1) // WIDE * WIDE
    return Grid(h, w, end + WIDE, end)


@njit(**INLINE)
def row_of(planes, y, grid):
    """Where row y begins in memory of so many planes a row."""
    return (y + 1) * planes * grid.pitch + WIDE


@njit(**INLINE)
def clear_margins(memory, planes, grid):
    """Zeros around the pixels of all rows."""
    memory[: row_of(planes, 0, grid)] = 0
    for y in range(grid.h):
        start = row_of(planes, y, grid) + grid.w
        for _ in range(planes):
            for x in range(grid.pitch - grid.w):
                memory[start + x] = 0
            start += grid.pitch


@njit(**JIT)
def u_row(u_in, u_out, p, c, y, grid, scheme):
    """One row of u from the old u and p. Returns the sum of squared changes."""
    pitch = grid.pitch
    u0, p0, c0 = row_of(2, y, grid), row_of(4, y, grid), row_of(4, y, grid)
    above = p0 - 4 * pitch
    limit, theta = vsplat(scheme.bound), vsplat(scheme.theta)
    total = limit * u_in.dtype.type(0)
    for x in range(0, grid.end, WIDE):
        i, k = u0 + x, p0 + x
        u, v = vload(u_in, i), vload(u_in, i + pitch)
        j = c0 + x
        gx, gy = vload(c, j + GX * pitch), vload(c, j + GY * pitch)
        rho = vload(c, j + RHO * pitch) + gx * u + gy * v
        step = vclamp(rho * vload(c, j + NEG_INV * pitch), limit)
        div_u = (vload(p, k) - vload(p, k - 1)) + (
            vload(p, k + pitch) - vload(p, above + x + pitch)
        )
        div_v = (vload(p, k + 2 * pitch) - vload(p, k + 2 * pitch - 1)) + (
            vload(p, k + 3 * pitch) - vload(p, above + x + 3 * pitch)
        )
        du = step * gx + theta * div_u
        dv = step * gy + theta * div_v
        vstore(u_out, i, u + du)
        vstore(u_out, i + pitch, v + dv)
        total = total + du * du + dv * dv
    return vsum(total)


@njit(**INLINE)
def _dual_update(u, p_in, p_out, i, down, k, pitch, ratio, one, inside_x, inside):
    """WIDE pixels of p from the gradient of u; k: place in p, i: in u."""
    own_u, own_v = vload(u, i), vload(u, i + pitch)
    ux = (vload(u, i + 1) - own_u) * inside_x
    uy = (vload(u, i + down) - own_u) * inside
    vx = (vload(u, i + 1 + pitch) - own_v) * inside_x
    vy = (vload(u, i + down + pitch) - own_v) * inside
    a = one + ratio * vlength(ux * ux + uy * uy)
    b = one + ratio * vlength(vx * vx + vy * vy)
    both = one / (a * b)  # one division instead of two
    inverse = both * b
    vstore(p_out, k, (vload(p_in, k) + ratio * ux) * inverse)
    k += pitch
    vstore(p_out, k, (vload(p_in, k) + ratio * uy) * inverse)
    k += pitch
    inverse = both * a
    vstore(p_out, k, (vload(p_in, k) + ratio * vx) * inverse)
    k += pitch
    vstore(p_out, k, (vload(p_in, k) + ratio * vy) * inverse)


@njit(**JIT)
def p_row(u, p_in, p_out, masks, y, grid, scheme):
    """One row of p from the new u, by forward differences, 0 in the last ones."""
    pitch = grid.pitch
    down = 2 * pitch if y < grid.h - 1 else 0
    i, k = row_of(2, y, grid), row_of(4, y, grid)
    ratio, one = vsplat(scheme.ratio), vsplat(u.dtype.type(1))
    last = grid.end - WIDE
    for x in range(0, last, WIDE):
        _dual_update(u, p_in, p_out, i + x, down, k + x, pitch, ratio, one, one, one)
    inside_x, inside = vload(masks, 0), vload(masks, WIDE)
    _dual_update(
        u, p_in, p_out, i + last, down, k + last, pitch, ratio, one, inside_x, inside
    )


@njit(**JIT)
def iterate(u, p, u_new, p_new, c, masks, count, changes, grid, scheme):
    """``count`` iterations from (u, p) to (u_new, p_new).

    changes: the sums of squared changes of each iteration, float64. Iteration n works
    one row behind iteration n - 1, so that rows stay in the cache.
    """
    changes[:count] = 0
    for step in range(grid.h + count):
        for n in range(max(0, step - grid.h), min(count, step + 1)):
            y = step - n
            if n == 0:
                if y < grid.h:
                    changes[n] += u_row(u, u_new, p, c, y, grid, scheme)
                if y > 0:
                    p_row(u_new, p, p_new, masks, y - 1, grid, scheme)
            else:
                if y < grid.h:
                    changes[n] += u_row(u_new, u_new, p_new, c, y, grid, scheme)
                if y > 0:
                    p_row(u_new, p_new, p_new, masks, y - 1, grid, scheme)


@njit(**INLINE)
def set_masks(masks, grid):
    """For the last WIDE pixels of a row: which have a right neighbor, which exist."""
    for lane in range(WIDE):
        x = grid.end - WIDE + lane
        masks[lane] = x < grid.w - 1
        masks[WIDE + lane] = x < grid.w
