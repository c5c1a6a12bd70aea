"""Where a program of the backward pass keeps states in global memory, in Triton.

A state is six fields (u1, u2, p11, p12, p21, p22), each the quads of its places (see
memory.py), and a quad GROUPS * 128 numbers: four places of every patch. ``at`` points
to the first quad of a state; the others follow at fixed distances. A quad has one
dimension, because for shapes as (GROUPS, 32, 4) Triton 3.6 chooses a layout that it
must be brought to through shared memory.
"""

import triton
import triton.language as tl

from .memory import from_block, to_block


@triton.jit
def state_slot(j, segment):
    """Slot of state j: a segment's states, then the first states of all segments."""
    return tl.where(j % segment == 0, segment + j // segment, j % segment)


@triton.jit
def state_at(ptr, slot, K: tl.constexpr):
    """Pointers to the first quad of the state in a slot."""
    at = tl.arange(0, K.GROUPS * 128)
    return ptr + slot * (6 * K.PLACES * K.GROUPS * 32) + at


@triton.jit
def _quads_at(at, BEGIN: tl.constexpr, COUNT: tl.constexpr, K: tl.constexpr):
    """Pointers to COUNT fields of a state from BEGIN on, one row of them for a quad."""
    row = tl.arange(0, COUNT * K.PLACES // 4) + BEGIN * K.PLACES // 4
    return at[None, :] + row[:, None] * (K.GROUPS * 128)


@triton.jit
def _store_some(
    at, BEGIN: tl.constexpr, fields, wanted, COUNT: tl.constexpr, K: tl.constexpr
):
    block = to_block(fields, COUNT, K)
    block = tl.reshape(block, [K.GROUPS, 32, COUNT * K.PLACES // 4, 4])
    quads = tl.permute(block, 2, 0, 1, 3)
    quads = tl.reshape(quads, [COUNT * K.PLACES // 4, K.GROUPS * 128])
    tl.store(_quads_at(at, BEGIN, COUNT, K), quads, mask=wanted)


@triton.jit
def store_state(at, state, wanted, K: tl.constexpr):
    """Store the six fields of a state where it is wanted."""
    u1, u2, p11, p12, p21, p22 = state
    _store_some(at, 0, (u1, u2), wanted, 2, K)
    _store_some(at, 2, (p11, p12, p21, p22), wanted, 4, K)


@triton.jit
def load_state_fields(
    at, exists, BEGIN: tl.constexpr, COUNT: tl.constexpr, K: tl.constexpr
):
    """COUNT fields of a state, 1, 2 or 4; zeros where the state does not exist."""
    quads = tl.load(_quads_at(at, BEGIN, COUNT, K), mask=exists, other=0.0)
    quads = tl.reshape(quads, [COUNT * K.PLACES // 4, K.GROUPS, 32, 4])
    block = tl.permute(quads, 1, 2, 0, 3)
    block = tl.reshape(block, [K.GROUPS, 32, COUNT * K.PLACES])
    return from_block(block, COUNT, K)


@triton.jit
def load_state(at, exists, K: tl.constexpr):
    """The six fields of a state; zeros where the state does not exist."""
    u = load_state_fields(at, exists, 0, 2, K)
    return u + load_state_fields(at, exists, 2, 4, K)
