"""Representation flow on GPUs, backward: one kernel for maps of every size.

Every state is computed again: a segment's states go to the program's own workspace in
global memory, and the way back goes over them. A program goes back over all iterations
of whole maps; or, where TILED, over some iterations of a tile of a map, from the state
before them and the gradient of that after them, which lie in global memory. At the end
only the tile's inner part is right, and nothing else is stored or summed.

K, p: see patches.py. coeffs, params: see iteration.py. sums: see iteration_backward.py.
"""

import triton
import triton.language as tl

from ..._common.triton_options import compile_once
from .image_gradient import image_gradient_backward, image_kernel_grads
from .initial_flow import first_state, store_initial_grads
from .iteration import (
    coefficients,
    is_sobel,
    iterate,
    load_parameters,
)
from .iteration_backward import iterate_backward, zero_sums
from .memory import load_fields, load_some, store_fields
from .patches import own_pixels, place_patches, plus, zero_field
from .state_workspace import load_state, state_at, state_slot, store_state

# Sums of a program, in this order; see parameter_gradients.py.
SUM_STEP = tl.constexpr(0)
SUM_BOUND = tl.constexpr(1)
SUM_DIV = tl.constexpr(2)
SUM_FLOW = tl.constexpr(6)


@triton.jit
def load_output_grads(
    ptr, stride_c, stride_h, stride_w, channels, last, p, K: tl.constexpr
):
    """Gradient of the last state: that of u1 lies at ptr, that of u2 channels later.

    It is 0 unless last.
    """
    step = (0 * p.n + channels) * stride_c
    u1_grad, u2_grad = load_fields(ptr, step, stride_h, stride_w, p, 2, K, exist=last)
    zero = zero_field(K)
    return u1_grad, u2_grad, zero, zero, zero, zero


@triton.jit
def recompute_segment(
    workspace_ptr, index, begin, end, segment, coeffs, params, p,
    FROM_ZERO: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """Compute the states from begin to end and store those that are used.

    State begin is there already, as the first of its segment; if FROM_ZERO, state 0 is
    zero and is not.
    """
    if FROM_ZERO or K.TILED:  # state 0 is not loaded, or there is no other segment
        slot = segment + index
    else:
        slot = segment + begin // segment
    at = state_at(workspace_ptr, slot, K)
    state = load_state(at, (begin > 0) | (not FROM_ZERO), K)
    for j in range(begin + 1, end):
        state = iterate(state, coeffs, params, p, K)
        # Those of earlier segments are computed again but for the segments' first ones.
        wanted = (j % segment == 0) | (j >= index * segment)
        at = state_at(workspace_ptr, state_slot(j, segment), K)
        store_state(at, state, wanted, K)


@triton.jit
def _add_sums(ptr, BEGIN: tl.constexpr, sums, COUNT: tl.constexpr):
    """Add the sums of all threads to those at ptr; no other program uses them."""
    totals = ()
    for index in tl.static_range(COUNT):
        total = tl.load(ptr + BEGIN + index)
        totals += (total + tl.sum(tl.sum(sums[index], 1), 0),)
    tl.debug_barrier()  # all threads load, one stores
    for index in tl.static_range(COUNT):
        tl.store(ptr + BEGIN + index, totals[index])


@triton.jit
def add_parameter_sums(
    ptr, sums, NEED_FLOW: tl.constexpr, NEED_DIV: tl.constexpr, K: tl.constexpr
):
    """Add the gradients of the Parameters to the task's sums."""
    _add_sums(ptr, SUM_STEP, (sums.step, sums.bound), 2)
    if NEED_DIV:
        _add_sums(ptr, SUM_DIV, sums.div, 4)
    if NEED_FLOW:
        _add_sums(ptr, SUM_FLOW, sums.flow, 18 if K.PAPER else 4)


@triton.jit
def add_image_kernel_sums(ptr, f2, coeff_grads, p, K: tl.constexpr):
    """Add the gradients of the image kernel to the task's sums."""
    gx_grad = own_pixels(coeff_grads[1], p, K)
    gy_grad = own_pixels(coeff_grads[2], p, K)
    sums = image_kernel_grads(f2, gx_grad, gy_grad, p, K)
    begin: tl.constexpr = SUM_FLOW + (18 if K.PAPER else 4)
    _add_sums(ptr, begin, sums, 18 if K.PAPER else 6)


@compile_once
def backward_kernel(
    grad_ptr,  # (N, 2C, T-1, H, W), strides follow
    grad_stride_n,
    grad_stride_c,
    grad_stride_t,
    grad_stride_h,
    grad_stride_w,
    x_ptr,  # (N, C, T, H, W), strides follow
    stride_n,
    stride_c,
    stride_t,
    stride_h,
    stride_w,
    x_grad_ptr,  # (N, C, T, H, W), strides follow
    x_grad_stride_n,
    x_grad_stride_c,
    x_grad_stride_t,
    x_grad_stride_h,
    x_grad_stride_w,
    image_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 3)
    flow_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 2)
    div_ptr,  # paper (2, 2), tvl1 (C, 2, 2)
    theta_ptr,  # (1,)
    lam_ptr,  # (1,)
    tau_ptr,  # (1,)
    workspace_ptr,  # (programs, segment + segments, 6, quads, GROUPS * 128)
    sums_ptr,  # (C, channel_sums, SUMS), zeros
    channel_sums,  # of all launches
    first_sums,  # of this launch's groups and tiles
    state_ptr,  # (6, N, C, T-1, H, W): state before this launch, unless FIRST
    old_ptr,  # (6, N, C, T-1, H, W): gradient of the state after it, unless last
    new_ptr,  # (6, N, C, T-1, H, W): of that before it, out, unless FIRST
    coeff_grads_ptr,  # (3, N, C, T-1, H, W): of F2 - F1 and of F2's gradient
    initial_ptr,  # (N, 2C, T-1, H, W): u to begin with if FIRST, None for zeros
    initial_grad_ptr,  # (N, 2C, T-1, H, W), None if not needed
    map_stride,  # N * C * (T-1) * H * W
    first_pair,  # of each clip in this launch
    pair_step,  # 2 where frames' gradients are written: such pairs share no frame
    pairs,  # N * pairs_per_clip
    pairs_per_clip,  # in this launch
    frames,  # T
    channels,
    h,
    w,
    last,  # whether no launch comes after; of whole maps none does
    n_iters,  # of this launch
    segment,  # iterations whose states are kept at a time
    segments,
    maps_per_program,
    halo_before,
    halo_after,
    tiles,  # of a map
    tiles_x,
    K: tl.constexpr,
    FIRST: tl.constexpr,
    NEED_X: tl.constexpr,
    NEED_IMAGE: tl.constexpr,
    NEED_FLOW: tl.constexpr,
    NEED_DIV: tl.constexpr,
    SUMS: tl.constexpr,
):
    """Gradients through some iterations, of one tile or several maps after another."""
    if K.ONE_OF_TWO:  # noqa: SIM102 (tvl1's kernels are not to be read as paper's)
        if is_sobel(flow_ptr) != K.SOBEL:
            return
    # A segment's states, but the first ones of all segments behind them.
    size: tl.constexpr = 6 * K.QUADS * K.GROUPS * 128
    workspace_ptr += tl.program_id(0).to(tl.int64) * (segment + segments) * size
    need_maps: tl.constexpr = NEED_X or NEED_IMAGE
    from_zero: tl.constexpr = FIRST and initial_ptr is None
    last = last != 0
    # States that there are: what comes after the last p of all does not matter.
    states = n_iters + tl.where(last, 0, 1)
    groups = tl.cdiv(pairs, maps_per_program)
    for task in range(tl.program_id(0), channels * groups * tiles, tl.num_programs(0)):
        channel = task // tiles // groups
        p = place_patches(
            pairs, pairs_per_clip, maps_per_program, task // tiles % groups, h, w,
            halo_before, halo_after, task % tiles, tiles_x, K,
        )  # fmt: skip
        t = p.t * pair_step + first_pair
        params = load_parameters(
            div_ptr, flow_ptr, theta_ptr, lam_ptr, tau_ptr, channel, K
        )
        image = image_ptr
        if not K.PAPER:
            image += channel * 6
        first = x_ptr + (p.n * stride_n + (0 * p.n + channel) * stride_c + t * stride_t)
        x_h, x_w = 0 * p.n + stride_h, 0 * p.n + stride_w
        coeffs = coefficients(first, stride_t, x_h, x_w, image, p, K.TILED, K)
        map_offset = ((p.n * channels + channel) * (frames - 1) + t) * (h * w)
        grads_at = grad_ptr + p.n * grad_stride_n + (0 * p.n + channel) * grad_stride_c
        grads = load_output_grads(
            grads_at + t * grad_stride_t, grad_stride_c, 0 * p.n + grad_stride_h,
            0 * p.n + grad_stride_w, channels, last, p, K,
        )  # fmt: skip
        if K.TILED:
            old = old_ptr + map_offset
            old = load_fields(old, map_stride, w, 1, p, 6, K, exist=not last)
            u1_grad, u2_grad = plus(grads[0], old[0], K), plus(grads[1], old[1], K)
            grads = (u1_grad, u2_grad, old[2], old[3], old[4], old[5])
        if not from_zero:
            if FIRST:
                state = first_state(initial_ptr, channel, channels, t, frames - 1, p, K)
            else:
                state = load_fields(state_ptr + map_offset, map_stride, w, 1, p, 6, K)
            at = state_at(workspace_ptr, state_slot(0, segment), K)
            store_state(at, state, True, K)
            tl.debug_barrier()
        zero = zero_field(K)
        coeff_grads = (zero, zero, zero)
        sums = zero_sums(K)
        for back in range(segments):
            # The first time from the start, later from the first state of a segment.
            index = segments - 1 - back
            begin = tl.where(back == 0, 0, index * segment)
            end = tl.minimum((index + 1) * segment, n_iters)
            recompute_segment(
                workspace_ptr, index, begin, tl.minimum((index + 1) * segment, states),
                segment, coeffs, params, p, from_zero, K,
            )  # fmt: skip
            tl.debug_barrier()
            for ahead in range(index * segment, end):
                j = end - 1 - (ahead - index * segment)
                new_at = state_at(workspace_ptr, state_slot(j + 1, segment), K)
                old_at = state_at(workspace_ptr, state_slot(j, segment), K)
                grads, coeff_grads, sums = iterate_backward(
                    grads, coeff_grads, sums, old_at, (j > 0) | (not from_zero),
                    new_at, j + 1 < states, coeffs, params, p,
                    need_maps, NEED_FLOW, NEED_DIV, K,
                )  # fmt: skip
            tl.debug_barrier()

        row = channel * channel_sums + first_sums + task % (groups * tiles)
        task_sums = sums_ptr + (0 * tl.program_id(0).to(tl.int64) + row) * SUMS
        add_parameter_sums(task_sums, sums, NEED_FLOW, NEED_DIV, K)
        coeff_grads_at = coeff_grads_ptr + map_offset
        if need_maps and K.TILED:
            # Neighbors add to the other pixels, which only the first launch needs.
            existing = load_fields(
                coeff_grads_at, map_stride, w, 1, p, 3, K, not FIRST, not last
            )
            coeff_grads = (
                plus(coeff_grads[0], existing[0], K),
                plus(coeff_grads[1], existing[1], K),
                plus(coeff_grads[2], existing[2], K),
            )
        if not FIRST:
            store_fields(new_ptr + map_offset, map_stride, w, 1, grads, p, 6, K)
            if need_maps:
                store_fields(coeff_grads_at, map_stride, w, 1, coeff_grads, p, 3, K)
        if initial_grad_ptr is not None:
            store_initial_grads(
                initial_grad_ptr, grads, channel, channels, t, frames - 1, p, K
            )
        if NEED_IMAGE and FIRST:
            f2 = load_fields(first + stride_t, 0, x_h, x_w, p, 1, K)
            add_image_kernel_sums(task_sums, f2[0], coeff_grads, p, K)
        if NEED_X and FIRST:
            first_grad, second_grad = image_gradient_backward(
                coeff_grads[0], coeff_grads[1], coeff_grads[2], image, p, K
            )
            to = x_grad_ptr + p.n * x_grad_stride_n + t * x_grad_stride_t
            to += (0 * p.n + channel) * x_grad_stride_c
            # The launch before has written the frames that pairs 0, 2, 4 ... have.
            frames_there = tl.where(first_pair > 0, tl.minimum(frames - 1 - t, 2), 0)
            to_h, to_w = 0 * p.n + x_grad_stride_h, 0 * p.n + x_grad_stride_w
            existing = load_some(
                to, x_grad_stride_t, to_h, to_w, p,
                0, frames_there[None, :, :], 2, True, K,
            )  # fmt: skip
            x_grads = (
                plus(first_grad, existing[0], K),
                plus(second_grad, existing[1], K),
            )
            store_fields(to, x_grad_stride_t, to_h, to_w, x_grads, p, 2, K)
