"""Representation flow on GPUs, backward: one kernel for maps of every size.

Every state is computed again: a segment's states go to a slab of global memory, the
program's own, and the way back goes over them. A program goes back over all iterations
of whole maps; or, where WINDOWS, over some iterations of a window of a map, from the
state before them and the gradient of that after them, which lie in global memory. At
the end only the window's inner part is right, and nothing else is stored or summed.
"""

import triton
import triton.language as tl

from .forward import load_fields, parameters, store_fields
from .patches import (
    EPS,
    above_factor,
    below_factor,
    clamp,
    coefficients,
    from_above,
    from_below,
    from_left,
    from_quads,
    from_right,
    gradient,
    gradient_back,
    image_gradient_back,
    is_sobel,
    iterate,
    left_factor,
    load_field,
    own_pixels,
    place_patches,
    right_factor,
    store_field,
    to_quads,
    zero_field,
    zero_last_row,
)

# Partial sums of a program, in this order; see parameter_gradients.py.
SUM_STEP = tl.constexpr(0)
SUM_BOUND = tl.constexpr(1)
SUM_DIV = tl.constexpr(2)
SUM_FLOW = tl.constexpr(6)


@triton.jit
def zeros(COUNT: tl.constexpr, GROUPS: tl.constexpr):
    """Sums, one of every thread: they become one of the program at its end."""
    sums = ()
    for _ in tl.static_range(COUNT):
        sums += (tl.zeros([GROUPS, 32], tl.float32),)
    return sums


@triton.jit
def shrink_back(g1, g2, p1, p2, q1, q2, step):
    """Adjoint of shrink: gradients of old p and of q, and what step's grows by."""
    z = EPS + q1 * q1 + q2 * q2
    inv_root = tl.rsqrt(z)
    root = z * inv_root
    d = 1 + step * root
    inverse = tl.rsqrt(d * d)
    g1, g2 = g1 * inverse, g2 * inverse
    d_grad = g1 * p1 + g2 * p2
    share = g1 * q1 + g2 * q2 - d_grad * root
    along = d_grad * inv_root
    return g1, g2, step * (g1 - along * q1), step * (g2 - along * q2), share


@triton.jit
def kernel_sums(
    sums, u, q1, q2, p, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr,
    EXACT: tl.constexpr, PAPER: tl.constexpr,
):  # fmt: skip
    """Gradient of gradient's kernel from those of its results."""
    if PAPER:
        left, right = (), ()
        for i in tl.static_range(ROWS * COLS):
            left += (left_factor(1.0, p, i, COLS) * from_left(u, p, i, COLS),)
            right += (right_factor(1.0, p, i, COLS) * from_right(u, p, i, COLS),)
        columns = (left, u, right)
        result = ()
        for tap in tl.static_range(18):
            total = sums[tap]
            for i in tl.static_range(ROWS * COLS):
                if tap % 9 < 3:
                    value = above_factor(1.0, p, i, COLS)
                    value *= from_above(columns[tap % 3], p, i, ROWS, COLS, TALL)
                elif tap % 9 < 6:
                    value = columns[tap % 3][i]
                else:
                    value = below_factor(1.0, p, i, ROWS, COLS)
                    value *= from_below(columns[tap % 3], p, i, ROWS, COLS, TALL)
                total += (q1 if tap < 9 else q2)[i] * value
            result += (total,)
        return result
    else:
        k0, k1, k2, k3 = sums
        for i in tl.static_range(ROWS * COLS):
            qx = right_factor(q1[i], p, i, COLS)
            if not EXACT:
                qx = tl.where(p.x + i % COLS + 1 < p.w, qx, 0.0)
            qy = zero_last_row(q2[i], p, i, ROWS, COLS, EXACT)
            k0 += qx * u[i]
            k1 += qx * from_right(u, p, i, COLS)
            k2 += qy * u[i]
            k3 += qy * from_below(u, p, i, ROWS, COLS, TALL)
        return (k0, k1, k2, k3)


@triton.jit
def through_p(
    v, p1, p2, g1, g2, u_grad, step_sum, flow_sums, step, flow, p,
    ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr, EXACT: tl.constexpr,
    PAPER: tl.constexpr, SOBEL: tl.constexpr,
    NEED_FLOW: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Back through p = shrink(old p, gradient of v), of one component."""
    q1, q2 = gradient(v, p, flow, ROWS, COLS, TALL, EXACT, PAPER, SOBEL)
    n1, n2, b1, b2, shares = (), (), (), (), ()
    for i in tl.static_range(ROWS * COLS):
        x1, x2, y1, y2, share = shrink_back(
            g1[i], g2[i], p1[i], p2[i], q1[i], q2[i], step
        )
        n1 += (x1,)
        n2 += (x2,)
        b1 += (y1,)
        b2 += (y2,)
        shares += (share,)
    u_grad = gradient_back(
        u_grad, b1, b2, p, flow, ROWS, COLS, TALL, EXACT, PAPER, SOBEL
    )
    shares = own_pixels(shares, p, ROWS, COLS, WINDOWS)
    for i in tl.static_range(ROWS * COLS):
        step_sum += shares[i]
    if NEED_FLOW:
        b1 = own_pixels(b1, p, ROWS, COLS, WINDOWS)
        b2 = own_pixels(b2, p, ROWS, COLS, WINDOWS)
        flow_sums = kernel_sums(flow_sums, v, b1, b2, p, ROWS, COLS, TALL, EXACT, PAPER)
    return n1, n2, u_grad, step_sum, flow_sums


@triton.jit
def divergence_back(
    g1, g2, u_grad, div, p, ROWS: tl.constexpr, COLS: tl.constexpr, TALL: tl.constexpr
):
    """Adjoint of theta * divergence, added to the gradients of p."""
    n1, n2 = (), ()
    for i in tl.static_range(ROWS * COLS):
        x0, y0 = (
            right_factor(div[0], p, i, COLS),
            below_factor(div[2], p, i, ROWS, COLS),
        )
        value = g1[i] + div[1] * u_grad[i]
        n1 += (value + x0 * from_right(u_grad, p, i, COLS),)
        value = g2[i] + div[3] * u_grad[i]
        n2 += (value + y0 * from_below(u_grad, p, i, ROWS, COLS, TALL),)
    return n1, n2


@triton.jit
def divergence_sums(
    sums, u_grad, p1, p2, p, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Gradient of the taps of theta * divergence."""
    x0, x1, y0, y1 = sums
    u_grad = own_pixels(u_grad, p, ROWS, COLS, WINDOWS)
    for i in tl.static_range(ROWS * COLS):
        g = u_grad[i]
        x0 += left_factor(1.0, p, i, COLS) * from_left(p1, p, i, COLS) * g
        x1 += g * p1[i]
        above = from_above(p2, p, i, ROWS, COLS, TALL)
        y0 += above_factor(1.0, p, i, COLS) * above * g
        y1 += g * p2[i]
    return (x0, x1, y0, y1)


@triton.jit
def through_data(
    u1, u2, u1_grad, u2_grad, map_sums, bound_sum, given, bound, p,
    ROWS: tl.constexpr, COLS: tl.constexpr,
    NEED_MAPS: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Back through u = old u + k * gradient of F2."""
    n1, n2, rho_sum, gx_sum, gy_sum, shares = (), (), (), (), (), ()
    for i in tl.static_range(ROWS * COLS):
        gx, gy, scale = given.gx[i], given.gy[i], given.scale[i]
        g1, g2 = u1_grad[i], u2_grad[i]
        r = (given.rho[i] + gx * u1[i] + gy * u2[i]) * scale
        k_grad = g1 * gx + g2 * gy
        above, below = r > bound, r < -bound
        shares += (tl.where(above, k_grad, tl.where(below, -k_grad, 0.0)),)
        r_grad = tl.where(above | below, 0.0, k_grad) * scale
        if NEED_MAPS:
            k = clamp(r, bound)
            rho_sum += (map_sums[0][i] + r_grad,)
            twice = 2 * k
            gx_sum += (map_sums[1][i] + k * g1 + r_grad * (u1[i] + twice * gx),)
            gy_sum += (map_sums[2][i] + k * g2 + r_grad * (u2[i] + twice * gy),)
        n1 += (g1 + r_grad * gx,)
        n2 += (g2 + r_grad * gy,)
    shares = own_pixels(shares, p, ROWS, COLS, WINDOWS)
    for i in tl.static_range(ROWS * COLS):
        bound_sum += shares[i]
    if NEED_MAPS:
        map_sums = (rho_sum, gx_sum, gy_sum)
    return n1, n2, map_sums, bound_sum


@triton.jit
def iterate_back(
    grads, after, has_after, before, has_before,
    map_sums, scalar_sums, div_sums, flow_sums,
    given, bound, step, div, flow, p,
    GROUPS: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, EXACT: tl.constexpr, PAPER: tl.constexpr,
    SOBEL: tl.constexpr, NEED_MAPS: tl.constexpr, NEED_FLOW: tl.constexpr,
    NEED_DIV: tl.constexpr, WINDOWS: tl.constexpr,
):  # fmt: skip
    """Back over one iteration, between the states before and after it in the slab.

    Their fields are loaded where they are used: all at once would not fit in registers.
    Nothing comes back through the last p of all: its gradient is 0, its value free.
    Every argument that sums is returned.
    """
    size: tl.constexpr = ROWS * COLS
    u1_grad, u2_grad, g11, g12, g21, g22 = grads
    step_sum, bound_sum = scalar_sums
    v = _load_slab(after, has_after, 0, GROUPS, size)
    p1 = _load_slab(after, has_after, 2, GROUPS, size)
    p2 = _load_slab(after, has_after, 3, GROUPS, size)
    g11, g12, u1_grad, step_sum, flow_sums = through_p(
        v, p1, p2, g11, g12, u1_grad, step_sum, flow_sums, step, flow, p,
        ROWS, COLS, TALL, EXACT, PAPER, SOBEL, NEED_FLOW, WINDOWS,
    )  # fmt: skip
    if NEED_DIV:
        p1 = _load_slab(before, has_before, 2, GROUPS, size)
        p2 = _load_slab(before, has_before, 3, GROUPS, size)
        div_sums = divergence_sums(
            div_sums, u1_grad, p1, p2, p, ROWS, COLS, TALL, WINDOWS
        )
    g11, g12 = divergence_back(g11, g12, u1_grad, div, p, ROWS, COLS, TALL)
    v = _load_slab(after, has_after, 1, GROUPS, size)
    p1 = _load_slab(after, has_after, 4, GROUPS, size)
    p2 = _load_slab(after, has_after, 5, GROUPS, size)
    g21, g22, u2_grad, step_sum, flow_sums = through_p(
        v, p1, p2, g21, g22, u2_grad, step_sum, flow_sums, step, flow, p,
        ROWS, COLS, TALL, EXACT, PAPER, SOBEL, NEED_FLOW, WINDOWS,
    )  # fmt: skip
    if NEED_DIV:
        p1 = _load_slab(before, has_before, 4, GROUPS, size)
        p2 = _load_slab(before, has_before, 5, GROUPS, size)
        div_sums = divergence_sums(
            div_sums, u2_grad, p1, p2, p, ROWS, COLS, TALL, WINDOWS
        )
    g21, g22 = divergence_back(g21, g22, u2_grad, div, p, ROWS, COLS, TALL)
    u1 = _load_slab(before, has_before, 0, GROUPS, size)
    u2 = _load_slab(before, has_before, 1, GROUPS, size)
    u1_grad, u2_grad, map_sums, bound_sum = through_data(
        u1, u2, u1_grad, u2_grad, map_sums, bound_sum, given, bound, p,
        ROWS, COLS, NEED_MAPS, WINDOWS,
    )  # fmt: skip
    grads = (u1_grad, u2_grad, g11, g12, g21, g22)
    return grads, map_sums, (step_sum, bound_sum), div_sums, flow_sums


@triton.jit
def add_sums(ptr, begin: tl.constexpr, sums, COUNT: tl.constexpr):
    """Add the sums of all threads to those at ptr; no other program uses them."""
    for index in tl.static_range(COUNT):
        at = ptr + begin + index
        tl.store(at, tl.load(at) + tl.sum(tl.sum(sums[index], 1), 0))


@triton.jit
def image_sums(
    f2, gx, gy, p, GROUPS: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
    TALL: tl.constexpr, PAPER: tl.constexpr,
):  # fmt: skip
    """Gradient of the image kernel from those of the image gradient."""
    if PAPER:
        sums = zeros(18, GROUPS)
        return kernel_sums(sums, f2, gx, gy, p, ROWS, COLS, TALL, False, PAPER)
    else:
        zero = tl.zeros([GROUPS, 32], tl.float32)
        x0, x1, x2, y0, y1, y2 = zero, zero, zero, zero, zero, zero
        for i in tl.static_range(ROWS * COLS):
            y, x = p.y + i // COLS, p.x + i % COLS
            inner = (x > 0) & (x + 1 < p.w)
            g = tl.where(inner, gx[i], 0.0)
            x0 += g * from_left(f2, p, i, COLS)
            x1 += g * f2[i]
            x2 += g * from_right(f2, p, i, COLS)
            inner = (y > 0) & (y + 1 < p.h)
            g = tl.where(inner, gy[i], 0.0)
            y0 += g * from_above(f2, p, i, ROWS, COLS, TALL)
            y1 += g * f2[i]
            y2 += g * from_below(f2, p, i, ROWS, COLS, TALL)
        return (x0, x1, x2, y0, y1, y2)


@triton.jit
def _slot(j, segment):
    """Where state j lies: those of a segment, then the first ones of all segments."""
    return tl.where(j % segment == 0, segment + j // segment, j % segment)


@triton.jit
def _in_slab(ptr, index, GROUPS: tl.constexpr, SIZE: tl.constexpr):
    """Where the first quad of a state lies; the others follow at fixed distances."""
    lane = tl.arange(0, 32)[None, :, None] * 4 + tl.arange(0, 4)[None, None, :]
    at = tl.arange(0, GROUPS)[:, None, None] * 128 + lane
    return ptr + index * (6 * ((SIZE + 3) // 4) * GROUPS * 128) + at


@triton.jit
def _store_slab(to, state, GROUPS: tl.constexpr, SIZE: tl.constexpr):
    for field in tl.static_range(6):
        quads = to_quads(state[field], SIZE)
        for quad in tl.static_range((SIZE + 3) // 4):
            place = (field * ((SIZE + 3) // 4) + quad) * (GROUPS * 128)
            tl.store(to + place, quads[quad])


@triton.jit
def _load_slab(
    at, exists, FIELD: tl.constexpr, GROUPS: tl.constexpr, SIZE: tl.constexpr
):
    """One field of a state; zeros where it does not exist."""
    quads = ()
    for quad in tl.static_range((SIZE + 3) // 4):
        place = (FIELD * ((SIZE + 3) // 4) + quad) * (GROUPS * 128)
        quads += (tl.load(at + place, mask=exists, other=0.0),)
    return from_quads(quads, SIZE)


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
            to = _in_slab(slab_ptr, _slot(0, segment), GROUPS, ROWS * COLS)
            _store_slab(to, state, GROUPS, ROWS * COLS)
            tl.debug_barrier()
        map_sums = (zero, zero, zero)
        scalar_sums, div_sums = zeros(2, GROUPS), zeros(4, GROUPS)
        flow_sums = zeros(18 if PAPER else 4, GROUPS)
        for back in range(segments):
            # The first time from the start, later from the first state of a segment.
            index = segments - 1 - back
            end = tl.minimum((index + 1) * segment, n_iters)
            begin = tl.where(back == 0, 0, index * segment)
            at = _in_slab(slab_ptr, segment + index, GROUPS, ROWS * COLS)
            exists = (begin > 0) | (not FIRST)
            state = (
                _load_slab(at, exists, 0, GROUPS, ROWS * COLS),
                _load_slab(at, exists, 1, GROUPS, ROWS * COLS),
                _load_slab(at, exists, 2, GROUPS, ROWS * COLS),
                _load_slab(at, exists, 3, GROUPS, ROWS * COLS),
                _load_slab(at, exists, 4, GROUPS, ROWS * COLS),
                _load_slab(at, exists, 5, GROUPS, ROWS * COLS),
            )
            for j in range(begin + 1, tl.minimum((index + 1) * segment, states)):
                state = iterate(
                    state[0], state[1], state[2], state[3], state[4], state[5],
                    given, bound, step, div, flow, p,
                    ROWS, COLS, TALL, EXACT, PAPER, SOBEL,
                )  # fmt: skip
                to = _in_slab(slab_ptr, _slot(j, segment), GROUPS, ROWS * COLS)
                _store_slab(to, state, GROUPS, ROWS * COLS)
            tl.debug_barrier()
            for ahead in range(index * segment, end):
                j = end - 1 - (ahead - index * segment)
                new = _in_slab(slab_ptr, _slot(j + 1, segment), GROUPS, ROWS * COLS)
                old = _in_slab(slab_ptr, _slot(j, segment), GROUPS, ROWS * COLS)
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
