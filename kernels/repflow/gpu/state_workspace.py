"""Where a program of the backward pass keeps the states of a segment."""

import triton
import triton.language as tl

from .patches import from_quads, to_quads


@triton.jit
def slot_of(j, segment):
    """Where state j lies: those of a segment, then the first ones of all segments."""
    return tl.where(j % segment == 0, segment + j // segment, j % segment)


@triton.jit
def in_slab(ptr, index, GROUPS: tl.constexpr, SIZE: tl.constexpr):
    """Where the first quad of a state lies; the others follow at fixed distances."""
    lane = tl.arange(0, 32)[None, :, None] * 4 + tl.arange(0, 4)[None, None, :]
    at = tl.arange(0, GROUPS)[:, None, None] * 128 + lane
    return ptr + index * (6 * ((SIZE + 3) // 4) * GROUPS * 128) + at


@triton.jit
def store_slab(to, state, GROUPS: tl.constexpr, SIZE: tl.constexpr):
    for field in tl.static_range(6):
        quads = to_quads(state[field], SIZE)
        for quad in tl.static_range((SIZE + 3) // 4):
            place = (field * ((SIZE + 3) // 4) + quad) * (GROUPS * 128)
            tl.store(to + place, quads[quad])


@triton.jit
def load_slab(
    at, exists, FIELD: tl.constexpr, GROUPS: tl.constexpr, SIZE: tl.constexpr
):
    """One field of a state; zeros where it does not exist."""
    quads = ()
    for quad in tl.static_range((SIZE + 3) // 4):
        place = (FIELD * ((SIZE + 3) // 4) + quad) * (GROUPS * 128)
        quads += (tl.load(at + place, mask=exists, other=0.0),)
    return from_quads(quads, SIZE)
