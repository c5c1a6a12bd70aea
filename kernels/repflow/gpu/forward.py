"""Representation flow on GPUs, forward: one kernel for maps of every size.

A program holds whole maps for all iterations; or, where TILED, a tile of a map for some
iterations, at whose end only the tile's inner part is right. The state then lies in
global memory between launches.

K, p: see patches.py. coeffs, params: see iteration.py.
"""

import triton.language as tl

from ..._common.triton_options import compile_once
from .initial_flow import first_state
from .iteration import (
    coefficients,
    is_sobel,
    iterate,
    load_parameters,
    new_u,
)
from .memory import load_fields, store_fields
from .patches import place_patches, plus


@compile_once
def forward_kernel(
    x_ptr,  # (N, C, T, H, W), strides follow
    stride_n,
    stride_c,
    stride_t,
    stride_h,
    stride_w,
    out_ptr,  # (N, 2C, T-1, H, W), contiguous
    image_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 3)
    flow_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 2)
    div_ptr,  # paper (2, 2), tvl1 (C, 2, 2)
    theta_ptr,  # (1,)
    lam_ptr,  # (1,)
    tau_ptr,  # (1,)
    old_ptr,  # (6, N, C, T-1, H, W): state before, if not first; None for one launch
    new_ptr,  # (6, N, C, T-1, H, W), after, unless LAST
    initial_ptr,  # (N, 2C, T-1, H, W): u to begin with, None for zeros
    map_stride,  # N * C * (T-1) * H * W
    pairs,  # N * (T - 1)
    pairs_per_clip,  # T - 1
    channels,
    h,
    w,
    first,  # whether no launch comes before
    n_iters,  # of this launch
    maps_per_program,
    halo_before,
    halo_after,
    tiles_x,
    K: tl.constexpr,
    LAST: tl.constexpr,
):
    """Some iterations of the flow of one tile, or of several whole maps."""
    if K.ONE_OF_TWO:  # noqa: SIM102 (tvl1's kernels are not to be read as paper's)
        if is_sobel(flow_ptr) != K.SOBEL:
            return
    # All programs of a channel first: they share its kernels, and its maps' lines.
    groups = tl.cdiv(pairs, maps_per_program)
    channel = tl.program_id(0) // groups % channels
    p = place_patches(
        pairs, pairs_per_clip, maps_per_program, tl.program_id(0) % groups, h, w,
        halo_before, halo_after, tl.program_id(0) // groups // channels, tiles_x, K,
    )  # fmt: skip
    params = load_parameters(div_ptr, flow_ptr, theta_ptr, lam_ptr, tau_ptr, channel, K)
    if not K.PAPER:
        image_ptr += channel * 6
    map_offset = ((p.n * channels + channel) * pairs_per_clip + p.t) * (h * w)
    x_ptr += p.n * stride_n + (0 * p.n + channel) * stride_c + p.t * stride_t
    stride_h, stride_w = 0 * p.n + stride_h, 0 * p.n + stride_w
    coeffs = coefficients(x_ptr, stride_t, stride_h, stride_w, image_ptr, p, False, K)
    state = first_state(
        initial_ptr, channel, channels, p.t, pairs_per_clip, p, K, first != 0
    )
    if old_ptr is not None:
        old = old_ptr + map_offset
        old = load_fields(old, map_stride, w, 1, p, 6, K, exist=first == 0)
        if initial_ptr is None:
            state = old
        else:
            u1, u2 = plus(state[0], old[0], K), plus(state[1], old[1], K)
            state = (u1, u2, old[2], old[3], old[4], old[5])
    for _ in range(n_iters - 1 if LAST else n_iters):
        state = iterate(state, coeffs, params, p, K)
    if LAST:
        u = new_u(state, coeffs, params, p, K)
        out_map = (p.n * 2 * channels + channel) * pairs_per_clip + p.t
        step = (0 * p.n + channels) * pairs_per_clip * (h * w)
        store_fields(out_ptr + out_map * (h * w), step, w, 1, u, p, 2, K)
    else:
        store_fields(new_ptr + map_offset, map_stride, w, 1, state, p, 6, K)
