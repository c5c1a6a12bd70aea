"""Where a program of the backward pass keeps states in global memory, in Triton.

A state is six fields (u1, u2, p11, p12, p21, p22), a field the quads of its pixels, and
a quad GROUPS * 128 numbers: four pixels of every patch. ``at`` points to the first quad
of a state; the others follow at fixed distances. It is one-dimensional, because for
shapes as (GROUPS, 32, 4) Triton 3.6 chooses a layout that quads must be brought to
through shared memory; of two-dimensional ones, it computes exchanges of threads twice.
"""

import triton
import triton.language as tl


@triton.jit
def to_quads(field, K: tl.constexpr):
    """A field as tensors of four pixels each; the last one repeats its first pixel."""
    quads = ()
    for i in tl.static_range(0, K.PIXELS, 4):
        a = field[i]
        b = field[i + 1] if i + 1 < K.PIXELS else field[i]
        c = field[i + 2] if i + 2 < K.PIXELS else field[i]
        d = field[i + 3] if i + 3 < K.PIXELS else field[i]
        # A join puts its first argument at 0 of a new last axis.
        quad = tl.join(tl.join(a, c), tl.join(b, d))
        quads += (tl.reshape(quad, [a.shape[0], 32, 4]),)
    return quads


@triton.jit
def from_quads(quads, K: tl.constexpr):
    """Inverse of to_quads."""
    field = ()
    for i in tl.static_range(0, K.PIXELS, 4):
        quad = tl.reshape(quads[i // 4], [quads[i // 4].shape[0], 32, 2, 2])
        ac, bd = tl.split(quad)
        a, c = tl.split(ac)
        b, d = tl.split(bd)
        field += (a,)
        if i + 1 < K.PIXELS:
            field += (b,)
        if i + 2 < K.PIXELS:
            field += (c,)
        if i + 3 < K.PIXELS:
            field += (d,)
    return field


@triton.jit
def state_slot(j, segment):
    """Slot of state j: a segment's states, then the first states of all segments."""
    return tl.where(j % segment == 0, segment + j // segment, j % segment)


@triton.jit
def state_at(ptr, slot, K: tl.constexpr):
    """Pointers to the first quad of the state in a slot."""
    at = tl.arange(0, K.GROUPS * 128)
    return ptr + slot * (6 * K.QUADS * K.GROUPS * 128) + at


@triton.jit
def store_state(at, state, wanted, K: tl.constexpr):
    """Store the six fields of a state where it is wanted."""
    for field in tl.static_range(6):
        quads = to_quads(state[field], K)
        for quad in tl.static_range(K.QUADS):
            offset = (field * K.QUADS + quad) * (K.GROUPS * 128)
            value = tl.reshape(quads[quad], [K.GROUPS * 128])
            tl.store(at + offset, value, mask=wanted)


@triton.jit
def load_state_field(at, exists, FIELD: tl.constexpr, K: tl.constexpr):
    """One field of a state; zeros where the state does not exist."""
    quads = ()
    for quad in tl.static_range(K.QUADS):
        offset = (FIELD * K.QUADS + quad) * (K.GROUPS * 128)
        value = tl.load(at + offset, mask=exists, other=0.0)
        quads += (tl.reshape(value, [K.GROUPS, 32, 4]),)
    return from_quads(quads, K)


@triton.jit
def load_state(at, exists, K: tl.constexpr):
    """The six fields of a state; zeros where the state does not exist."""
    state = ()
    for field in tl.static_range(6):
        state += (load_state_field(at, exists, field, K),)
    return state
