"""The median filter between warps."""

import triton
import triton.language as tl

from ..._common.triton_options import compile_once


@triton.jit
def _without_extremes(values, COUNT: tl.constexpr):
    """COUNT values without the smallest and the largest of each place."""
    low = values[0]
    rest = ()
    for i in tl.static_range(1, COUNT):
        rest += (tl.maximum(low, values[i]),)
        low = tl.minimum(low, values[i])
    high = rest[0]
    kept = ()
    for i in tl.static_range(1, COUNT - 1):
        kept += (tl.minimum(high, rest[i]),)
        high = tl.maximum(high, rest[i])
    return kept


@compile_once
def median_kernel(
    u_ptr,  # (2, P, 2, H, W)
    side_ptr,  # (P,), int64
    active_ptr,  # (P,)
    out_ptr,  # (P, 2, H, W)
    pairs,
    h,
    w,
    SIDE: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The median of SIDE x SIDE pixels, the border replicated, of pairs still active.

    An extreme of more than half of the values is not their median: it is forgotten,
    and the next value takes its place.
    """
    blocks = tl.cdiv(h * w, BLOCK)
    plane = (tl.program_id(0) // blocks).to(tl.int64)
    if tl.load(active_ptr + plane // 2) == 0:
        return
    source = u_ptr + (tl.load(side_ptr + plane // 2) * 2 * pairs + plane) * h * w
    pixel = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < h * w
    x, y = pixel % w, pixel // w
    MARGIN: tl.constexpr = SIDE // 2
    FIRST: tl.constexpr = SIDE * SIDE // 2 + 2
    values = ()
    for i in tl.static_range(SIDE * SIDE):
        tap_x = tl.minimum(tl.maximum(x + (i % SIDE - MARGIN), 0), w - 1)
        tap_y = tl.minimum(tl.maximum(y + (i // SIDE - MARGIN), 0), h - 1)
        at = source + tap_y * w + tap_x
        values += (tl.load(at, mask=inside, other=0.0),)
    kept = ()
    for i in tl.static_range(FIRST):
        kept += (values[i],)
    for step in tl.static_range(SIDE * SIDE // 2):
        kept = _without_extremes(kept, FIRST - step)
        if FIRST + step < SIDE * SIDE:
            kept += (values[FIRST + step],)
    tl.store(out_ptr + plane * h * w + pixel, kept[0], mask=inside)
