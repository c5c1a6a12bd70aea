"""Representation flow on GPUs, backward: one kernel for maps of every size.

Every state is computed again: a segment's states go to a slab of global memory, the
program's own, and the way back goes over them. A program goes back over all iterations
of whole maps; or, where WINDOWS, over some iterations of a window of a map, from the
state before them and the gradient of that after them, which lie in global memory. At
the end only the window's inner part is right, and nothing else is stored or summed.
"""

import triton
import triton.language as tl

from .image_gradient import image_gradient_back, image_sums
from .iteration import coefficients, is_sobel, iterate, parameters
from .iteration_backward import iterate_back
from .patches import (
    load_field,
    load_fields,
    own_pixels,
    place_patches,
    store_field,
    store_fields,
    zero_field,
    zeros,
)
from .state_workspace import in_slab, load_slab, slot_of, store_slab

# Partial sums of a program, in this order; see parameter_gradients.py.
SUM_STEP = tl.constexpr(0)
SUM_BOUND = tl.constexpr(1)
SUM_DIV = tl.constexpr(2)
SUM_FLOW = tl.constexpr(6)


@triton.jit
def add_sums(ptr, begin: tl.constexpr, sums, COUNT: tl.constexpr):
    """Add the sums of all threads to those at ptr; no other program uses them."""
    for index in tl.static_range(COUNT):
        at = ptr + begin + index
        tl.store(at, tl.load(at) + tl.sum(tl.sum(sums[index], 1), 0))


@triton.jit
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
    scalars_ptr,  # (3,): theta, lam, tau
    slab_ptr,  # (programs, segment + segments, 6, quads, GROUPS * 128)
    sums_ptr,  # (C * groups, SUMS), zeros
    state_ptr,  # (6, N, C, T-1, H, W): state before this launch, unless FIRST
    old_ptr,  # (6, N, C, T-1, H, W): gradient of the state after it, unless LAST
    new_ptr,  # (6, N, C, T-1, H, W): of that before it, out, unless FIRST
    map_sums_ptr,  # (3, N, C, T-1, H, W): gradients of F2 - F1 and of F2's gradient
    map_stride,  # N * C * (T-1) * H * W
    first_pair,  # of each clip in this launch
    pair_step,  # 2 where frames' gradients are written: such pairs share no frame
    pairs,  # N * pairs_per_clip
    pairs_per_clip,  # in this launch
    frames,  # T
    channels,
    h,
    w,
    n_iters,  # of this launch
    segment,  # iterations whose states are kept at a time
    segments,
    maps,  # of a program
    before,
    after,
    windows,  # of a map
    windows_x,
    GROUPS: tl.constexpr,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
    TALL: tl.constexpr,
    EXACT: tl.constexpr,
    WINDOWS: tl.constexpr,
    PAPER: tl.constexpr,
    SOBEL: tl.constexpr,
    FIRST: tl.constexpr,
    LAST: tl.constexpr,
    NEED_X: tl.constexpr,
    NEED_IMAGE: tl.constexpr,
    NEED_FLOW: tl.constexpr,
    NEED_DIV: tl.constexpr,
    SUMS: tl.constexpr,
):
    # One launch for paper's Sobel filters and one for any others: whichever does not
    # meet its kind has nothing to do.
    if PAPER:  # noqa: SIM102 (tvl1's kernels are not to be read as paper's)
        if is_sobel(flow_ptr) != SOBEL:
            return
    # A segment's states, but the first ones of all segments behind them.
    size: tl.constexpr = 6 * ((ROWS * COLS + 3) // 4) * GROUPS * 128
    slab_ptr += tl.program_id(0).to(tl.int64) * (segment + segments) * size
    need_maps: tl.constexpr = NEED_X or NEED_IMAGE
    # States that there are: what comes after the last p of all does not matter.
    states = n_iters if LAST else n_iters + 1
    groups = tl.cdiv(pairs, maps)
    for task in range(
        tl.program_id(0), channels * groups * windows, tl.num_programs(0)
    ):
        channel = task // windows // groups
        p = place_patches(
            pairs, pairs_per_clip, maps, task // windows % groups, h, w,
            before, after, task % windows, windows_x, GROUPS, ROWS, COLS, TALL, WINDOWS,
        )  # fmt: skip
        t = p.t * pair_step + first_pair
        bound, step, div, flow = parameters(
            div_ptr, flow_ptr, scalars_ptr, channel, PAPER, SOBEL
        )
        image = image_ptr
        if not PAPER:
            image += channel * 6
        first = p.n * stride_n + (0 * p.n + channel) * stride_c + t * stride_t
        given = coefficients(
            x_ptr + first, x_ptr + first + stride_t, stride_h, stride_w, image, p,
            ROWS, COLS, TALL, PAPER, WINDOWS,
        )  # fmt: skip
        map_at = ((p.n * channels + channel) * (frames - 1) + t) * (h * w)
        zero = zero_field(GROUPS, ROWS, COLS)
        if LAST:
            from_u1 = p.n * grad_stride_n + (0 * p.n + channel) * grad_stride_c
            from_u1 += t * grad_stride_t
            from_u2 = from_u1 + (0 * p.n + channels) * grad_stride_c
            u1_grad = load_field(
                grad_ptr + from_u1, grad_stride_h, grad_stride_w, p, p.inside,
                ROWS, COLS,
            )  # fmt: skip
            u2_grad = load_field(
                grad_ptr + from_u2, grad_stride_h, grad_stride_w, p, p.inside,
                ROWS, COLS,
            )  # fmt: skip
            grads = (u1_grad, u2_grad, zero, zero, zero, zero)
        else:
            grads = load_fields(old_ptr + map_at, map_stride, p, 6, ROWS, COLS)
        if not FIRST:
            state = load_fields(state_ptr + map_at, map_stride, p, 6, ROWS, COLS)
            to = in_slab(slab_ptr, slot_of(0, segment), GROUPS, ROWS * COLS)
            store_slab(to, state, GROUPS, ROWS * COLS)
            tl.debug_barrier()
        map_sums = (zero, zero, zero)
        scalar_sums, div_sums = zeros(2, GROUPS), zeros(4, GROUPS)
        flow_sums = zeros(18 if PAPER else 4, GROUPS)
        for back in range(segments):
            # The first time from the start, later from the first state of a segment.
            index = segments - 1 - back
            end = tl.minimum((index + 1) * segment, n_iters)
            begin = tl.where(back == 0, 0, index * segment)
            at = in_slab(slab_ptr, segment + index, GROUPS, ROWS * COLS)
            exists = (begin > 0) | (not FIRST)
            state = (
                load_slab(at, exists, 0, GROUPS, ROWS * COLS),
                load_slab(at, exists, 1, GROUPS, ROWS * COLS),
                load_slab(at, exists, 2, GROUPS, ROWS * COLS),
                load_slab(at, exists, 3, GROUPS, ROWS * COLS),
                load_slab(at, exists, 4, GROUPS, ROWS * COLS),
                load_slab(at, exists, 5, GROUPS, ROWS * COLS),
            )
            for j in range(begin + 1, tl.minimum((index + 1) * segment, states)):
                state = iterate(
                    state[0], state[1], state[2], state[3], state[4], state[5],
                    given, bound, step, div, flow, p,
                    ROWS, COLS, TALL, EXACT, PAPER, SOBEL,
                )  # fmt: skip
                to = in_slab(slab_ptr, slot_of(j, segment), GROUPS, ROWS * COLS)
                store_slab(to, state, GROUPS, ROWS * COLS)
            tl.debug_barrier()
            for ahead in range(index * segment, end):
                j = end - 1 - (ahead - index * segment)
                new = in_slab(slab_ptr, slot_of(j + 1, segment), GROUPS, ROWS * COLS)
                old = in_slab(slab_ptr, slot_of(j, segment), GROUPS, ROWS * COLS)
                grads, map_sums, scalar_sums, div_sums, flow_sums = iterate_back(
                    grads, new, j + 1 < states, old, (j > 0) | (not FIRST),
                    map_sums, scalar_sums, div_sums, flow_sums,
                    given, bound, step, div, flow, p,
                    GROUPS, ROWS, COLS, TALL, EXACT, PAPER, SOBEL,
                    need_maps, NEED_FLOW, NEED_DIV, WINDOWS,
                )  # fmt: skip
            tl.debug_barrier()

        slot = sums_ptr + (0 * tl.program_id(0).to(tl.int64) + task) * SUMS
        add_sums(slot, SUM_STEP, scalar_sums, 2)
        if NEED_DIV:
            add_sums(slot, SUM_DIV, div_sums, 4)
        if NEED_FLOW:
            add_sums(slot, SUM_FLOW, flow_sums, 18 if PAPER else 4)
        if need_maps and not LAST:
            there = load_fields(map_sums_ptr + map_at, map_stride, p, 3, ROWS, COLS)
            map_sums = (
                _plus(map_sums[0], there[0], ROWS, COLS),
                _plus(map_sums[1], there[1], ROWS, COLS),
                _plus(map_sums[2], there[2], ROWS, COLS),
            )
        if not FIRST:
            store_fields(new_ptr + map_at, map_stride, grads, p, 6, ROWS, COLS)
            if need_maps:
                store_fields(
                    map_sums_ptr + map_at, map_stride, map_sums, p, 3, ROWS, COLS
                )
        if NEED_IMAGE and FIRST:
            f2 = load_field(
                x_ptr + first + stride_t, stride_h, stride_w, p, p.inside, ROWS, COLS
            )
            sums = image_sums(
                f2,
                own_pixels(map_sums[1], p, ROWS, COLS, WINDOWS),
                own_pixels(map_sums[2], p, ROWS, COLS, WINDOWS),
                p, GROUPS, ROWS, COLS, TALL, PAPER,
            )  # fmt: skip
            image_taps: tl.constexpr = SUM_FLOW + (18 if PAPER else 4)
            add_sums(slot, image_taps, sums, 18 if PAPER else 6)
        if NEED_X and FIRST:
            first_grad, second_grad = image_gradient_back(
                map_sums[0], map_sums[1], map_sums[2], image, p,
                ROWS, COLS, TALL, PAPER,
            )  # fmt: skip
            to = x_grad_ptr + p.n * x_grad_stride_n + t * x_grad_stride_t
            to += (0 * p.n + channel) * x_grad_stride_c
            # The launch before has written the frames that pairs 0, 2, 4 ... have.
            there = (first_pair > 0) & p.inside
            _add_field(
                to, x_grad_stride_h, x_grad_stride_w, first_grad, p, there, ROWS, COLS
            )
            _add_field(
                to + x_grad_stride_t, x_grad_stride_h, x_grad_stride_w, second_grad, p,
                there & (t + 2 < frames), ROWS, COLS,
            )  # fmt: skip


@triton.jit
def _add_field(
    ptr, stride_h, stride_w, field, p, exists, ROWS: tl.constexpr, COLS: tl.constexpr
):
    """Store the field, added to what there is at ptr where something exists."""
    there = load_field(ptr, stride_h, stride_w, p, exists, ROWS, COLS)
    field = _plus(field, there, ROWS, COLS)
    store_field(ptr, stride_h, stride_w, field, p, ROWS, COLS)


@triton.jit
def _plus(a, b, ROWS: tl.constexpr, COLS: tl.constexpr):
    total = ()
    for i in tl.static_range(ROWS * COLS):
        total += (a[i] + b[i],)
    return total
