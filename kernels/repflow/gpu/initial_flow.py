"""The flow to begin with and its gradient, (N, 2C, T-1, H, W), in Triton.

K, p: see patches.py. t: the pair's, in its clip.
"""

import triton
import triton.language as tl

from .memory import load_fields, store_fields
from .patches import zero_field


@triton.jit
def first_state(
    ptr, channel, channels, t, pairs_per_clip, p, K: tl.constexpr, exist=True
):
    """The state before the first iteration; its u is zero, too, if ptr is None.

    exist: whether the flow does; otherwise it counts as zero.
    """
    zero = zero_field(K)
    if ptr is None:
        return zero, zero, zero, zero, zero, zero
    else:
        size = (0 * p.n + p.h) * p.w
        step = channels * pairs_per_clip * size
        begin = p.n * (2 * step) + channel * pairs_per_clip * size + t * size
        u1, u2 = load_fields(ptr + begin, step, p.w, 1, p, 2, K, exist=exist)
        return u1, u2, zero, zero, zero, zero


@triton.jit
def store_initial_grads(
    ptr, grads, channel, channels, t, pairs_per_clip, p, K: tl.constexpr
):
    """Store the gradient of the first state's u, which is that of the initial flow."""
    # In another form than above: what they share would fill registers in between.
    size = p.h * p.w
    begin = ((p.n * 2 * channels + channel) * pairs_per_clip + t) * size
    step = (0 * p.n + channels) * pairs_per_clip * size
    store_fields(ptr + begin, step, p.w, 1, grads, p, 2, K)
