"""The flow of one pair of frames on the CPU: pyramid, warps, iterations, early stop."""

import math

from numba import njit

from ..._common.jit import INLINE, JIT, cached_njit
from .iterate import clear_margins, iterate, make_grid, row_of, set_masks
from .median import median_filter
from .resample import copy, interleave, resize, warp

FIRST_BLOCK = 4  # iterations of a warp before its first check
# Bytes of the rows that iterations in one pass work on: of a second-level cache.
CACHE = 1 << 20
MAX_BLOCK = 32


@njit(**INLINE)
def _next_block(changes, count, limit):
    """Fewer iterations than are left if the change shrinks on as it did."""
    if count < 2 or limit <= 0 or not changes[count - 1] < changes[count - 2]:
        return 2 * FIRST_BLOCK
    rate = math.log(changes[count - 1] / changes[count - 2])
    left = math.log(limit / changes[count - 1]) / rate
    return int(min(max(0.6 * left, 3.0), float(MAX_BLOCK)))


@njit(**JIT)
def _solve_warp(state, spare, c, t, masks, changes, numbers, scheme, grid):
    """All iterations of one warp.

    state, spare: (u, p). Returns them, the result first. A block of iterations goes
    from one to the other; if one in its middle turns out to be the last, the block is
    computed again up to there.
    """
    limit, inner, outer, side = numbers
    u, p = state
    u_new, p_new = spare
    row_bytes = 10 * grid.pitch * u.itemsize
    largest = min(max(CACHE // row_bytes - 2, 2), MAX_BLOCK)
    block = FIRST_BLOCK
    for _ in range(outer):
        if side > 1:
            median_filter(u, u_new, t, side, grid)
            u, u_new = u_new, u
        done = 0
        while done < inner:
            count = min(inner - done, block, largest)
            iterate(u, p, u_new, p_new, c, masks, count, changes, grid, scheme)
            last = 0
            while last < count and changes[last] > limit:
                last += 1
            if last < count - 1:
                count = last + 1
                iterate(u, p, u_new, p_new, c, masks, count, changes, grid, scheme)
            u, u_new = u_new, u
            p, p_new = p_new, p
            if last < count:
                return (u, p), (u_new, p_new)
            done += count
            block = _next_block(changes, count, limit)
    return (u, p), (u_new, p_new)


@njit(**INLINE)
def _component(u, n, grid):
    """Component n of the flow as a two-dimensional array."""
    rows = u[row_of(2, 0, grid) : row_of(2, grid.h, grid)]
    return rows.reshape(grid.h, 2 * grid.pitch)[:, n * grid.pitch :]


@njit(**JIT)
def _resize_initial(component, target, sizes, ratio):
    """A component of an initial flow at the coarsest level, through all others."""
    levels = len(sizes)
    old = component.copy()
    for n in range(1, levels):
        (h, w), (new_h, new_w) = sizes[n - 1], sizes[n]
        new = old[:new_h, :new_w].copy()
        resize(old, new, h, w, new_h, new_w, ratio, ratio, 1 / ratio)
        old = new
    h, w = sizes[-1]
    copy(old, target, h, w)


@cached_njit
def pair_flow(frames, initial, flow, sizes, scheme, options, pyramid, memory):
    """The flow (2, H, W) between two frames (2, H, W).

    initial: (2, H, W), or (0, H, W) for none. sizes: (levels, 2), the finest first.
    options: (epsilon^2, inner, outer, median side, warps, bicubic, 1 / scale step).
    pyramid: (2, pixels of all levels). memory: (u, u, p, p, c, interleaved, scratch,
    masks, changes).
    """
    epsilon2, inner, outer, side, warps, bicubic, ratio = options
    u, u_spare, p, p_spare, c, second, t, masks, changes = memory
    state, spare = (u, p), (u_spare, p_spare)
    levels = len(sizes)
    offset = 0
    for n in range(levels):  # the pyramids of both frames
        h, w = sizes[n]
        for k in range(2):
            level = pyramid[k, offset : offset + h * w].reshape(h, w)
            if n == 0:
                copy(frames[k], level, h, w)
            else:
                above_h, above_w = sizes[n - 1]
                start = offset - above_h * above_w
                above = pyramid[k, start:offset].reshape(above_h, above_w)
                resize(above, level, above_h, above_w, h, w, ratio, ratio, 1.0)
        offset += h * w
    grid = make_grid(sizes[-1, 0], sizes[-1, 1])
    state[0][: row_of(2, grid.h + 1, grid)] = 0
    if initial.shape[0] == 2:
        for k in range(2):
            target = _component(state[0], k, grid)
            _resize_initial(initial[k], target, sizes, ratio)
    for n in range(levels - 1, -1, -1):
        h, w = sizes[n]
        offset -= h * w
        if n < levels - 1:
            finer = make_grid(h, w)
            for k in range(2):
                resize(
                    _component(state[0], k, grid),
                    _component(spare[0], k, finer),
                    grid.h,
                    grid.w,
                    h,
                    w,
                    grid.h / h,
                    grid.w / w,
                    ratio,
                )
            state, spare = (spare[0], state[1]), (state[0], spare[1])
            grid = finer
        for u_or_spare in (state[0], spare[0]):
            clear_margins(u_or_spare, 2, grid)
        state[1][: row_of(4, grid.h + 1, grid)] = 0
        clear_margins(spare[1], 4, grid)
        set_masks(masks, grid)
        first = pyramid[0, offset : offset + h * w].reshape(h, w)
        level = pyramid[1, offset : offset + h * w].reshape(h, w)
        pixels = (h + 8) * (w + 8) * 4
        target = second[:pixels].reshape(h + 8, w + 8, 4)
        interleave(level, target)
        numbers = epsilon2 * h * w, inner, outer, side
        for _ in range(warps):
            warp(first, target, state[0], c, t, bicubic, grid)
            state, spare = _solve_warp(
                state, spare, c, t, masks, changes, numbers, scheme, grid
            )
    for k in range(2):
        copy(_component(state[0], k, grid), flow[k], grid.h, grid.w)
