"""Representation flow on GPUs, in Triton.

One program holds ``planes`` maps, one after another without padding, in BLOCK
registers spread over its threads; all iterations run there. Neighbours come through
_at. All maps of a program have one channel, so that tvl1's kernels are scalars.

Where a neighbour lies outside the map, the index points at a pixel that makes the term
right without a select: for paper at the last element of the block, which is never a
pixel and stays 0; for tvl1, whose p is 0 in its last column and row, at those.

1 / d is rsqrt(d * d), and sqrt(z) is z * rsqrt(z): one special-function instruction
each, without the range checks of a division (d >= 1, z >= 1e-12).
"""

import triton
import triton.language as tl

EPS = tl.constexpr(1e-12)
STATE_MAPS = tl.constexpr(6)  # u1, u2, p11, p12, p21, p22
# Partial sums of a program of the backward pass, in this order.
SUM_STEP = tl.constexpr(0)
SUM_BOUND = tl.constexpr(1)
SUM_DIV = tl.constexpr(2)
SUM_FLOW = tl.constexpr(6)


@triton.jit
def _at(values, index):
    return tl.gather(values, index, 0)


@triton.jit
def _clamp(value, bound):
    return tl.clamp(value, -bound, bound, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def _load_map(ptr, offset, stride_h, stride_w, y, x, h, w, inside):
    ok = inside & (y >= 0) & (y < h) & (x >= 0) & (x < w)
    offset += y.to(tl.int64) * stride_h + x.to(tl.int64) * stride_w
    return tl.load(ptr + offset, mask=ok, other=0.0).to(tl.float32)


@triton.jit
def _central(ptr, o1, o2, sh, sw, y, x, dy, dx, place, size, h, w, inside, k_ptr):
    """tvl1's image gradient along one axis; see note 2 of reference.py."""
    before = _load_map(ptr, o2, sh, sw, y - dy, x - dx, h, w, inside)
    own = _load_map(ptr, o2, sh, sw, y, x, h, w, inside)
    after = _load_map(ptr, o2, sh, sw, y + dy, x + dx, h, w, inside)
    k0, k1, k2 = tl.load(k_ptr), tl.load(k_ptr + 1), tl.load(k_ptr + 2)
    middle = k0 * before + k1 * own + k2 * after
    # In the first column this and the next, in the last the one before and this.
    back = tl.where(place == 0, 0, 1)
    y, x = y - back * dy, x - back * dx
    low = _load_map(ptr, o1, sh, sw, y, x, h, w, inside)
    high = _load_map(ptr, o1, sh, sw, y + dy, x + dx, h, w, inside)
    border = tl.where(size > 1, 0.5 * (high - low), 0.0)
    return tl.where((place == 0) | (place == size - 1), border, middle)


@triton.jit
def _sobel(ptr, offset, sh, sw, y, x, h, w, inside, k_ptr):
    total = tl.zeros_like(x).to(tl.float32)
    for dy in tl.static_range(3):
        for dx in tl.static_range(3):
            value = _load_map(ptr, offset, sh, sw, y + dy - 1, x + dx - 1, h, w, inside)
            total += tl.load(k_ptr + 3 * dy + dx) * value
    return total


@triton.jit
def _image_gradient(
    ptr, o1, o2, sh, sw, y, x, h, w, inside, k_ptr, PAPER: tl.constexpr
):
    if PAPER:
        gx = _sobel(ptr, o2, sh, sw, y, x, h, w, inside, k_ptr)
        gy = _sobel(ptr, o2, sh, sw, y, x, h, w, inside, k_ptr + 9)
    else:
        gx = _central(ptr, o1, o2, sh, sw, y, x, 0, 1, x, w, h, w, inside, k_ptr)
        gy = _central(ptr, o1, o2, sh, sw, y, x, 1, 0, y, h, h, w, inside, k_ptr + 3)
    return gx, gy


@triton.jit
def _neighbours(i, real, y, x, h, w, BLOCK: tl.constexpr, PAPER: tl.constexpr):
    """Indices of the left, right, upper and lower neighbours."""
    if PAPER:
        left = tl.where(real & (x > 0), i - 1, BLOCK - 1)
        right = tl.where(real & (x < w - 1), i + 1, BLOCK - 1)
        up = tl.where(real & (y > 0), i - w, BLOCK - 1)
        down = tl.where(real & (y < h - 1), i + w, BLOCK - 1)
    else:
        left = tl.where(x > 0, i - 1, i + w - 1)
        right = tl.where(x < w - 1, i + 1, i)
        up = tl.where(y > 0, i - w, i + (h - 1) * w)
        down = tl.where(y < h - 1, i + w, i)
        # Past the last map an index may leave the block.
        left, right = tl.minimum(left, BLOCK - 1), tl.minimum(right, BLOCK - 1)
        up, down = tl.minimum(up, BLOCK - 1), tl.minimum(down, BLOCK - 1)
    return left, right, up, down


@triton.jit
def _column(total, k_ptr, above, own, below, COLUMN: tl.constexpr, FLIP: tl.constexpr):
    """Add a column of a 3x3 kernel, or of the kernel turned by 180 degrees."""
    first: tl.constexpr = 8 - COLUMN if FLIP else COLUMN
    stride: tl.constexpr = -3 if FLIP else 3
    total += tl.load(k_ptr + first) * above
    total += tl.load(k_ptr + first + stride) * own
    return total + tl.load(k_ptr + first + 2 * stride) * below


@triton.jit
def _gradient(u, left, right, up, down, x0, x1, y0, y1, k_ptr, PAPER: tl.constexpr):
    """Gradient of u. tvl1's x0, x1 are 0 in the last column, y0, y1 in the last row.

    The 3x3 kernels sum each column before it moves sideways, for fewer gathers.
    """
    if PAPER:
        above, below, zero = _at(u, up), _at(u, down), tl.zeros_like(u)
        qx = _at(_column(zero, k_ptr, above, u, below, 0, False), left)
        qx += _at(_column(zero, k_ptr, above, u, below, 2, False), right)
        qx = _column(qx, k_ptr, above, u, below, 1, False)
        k_ptr += 9
        qy = _at(_column(zero, k_ptr, above, u, below, 0, False), left)
        qy += _at(_column(zero, k_ptr, above, u, below, 2, False), right)
        qy = _column(qy, k_ptr, above, u, below, 1, False)
    else:
        qx = x0 * u + x1 * _at(u, right)
        qy = y0 * u + y1 * _at(u, down)
    return qx, qy


@triton.jit
def _correlate_back(total, gx, gy, left, right, up, down, k_ptr):
    """Adjoint of a pair of 3x3 correlations, added to total."""
    x_above, x_below = _at(gx, up), _at(gx, down)
    y_above, y_below = _at(gy, up), _at(gy, down)
    zero = tl.zeros_like(total)
    total = _column(total, k_ptr, x_above, gx, x_below, 1, True)
    total = _column(total, k_ptr + 9, y_above, gy, y_below, 1, True)
    from_left = _column(zero, k_ptr, x_above, gx, x_below, 0, True)
    from_left = _column(from_left, k_ptr + 9, y_above, gy, y_below, 0, True)
    from_right = _column(zero, k_ptr, x_above, gx, x_below, 2, True)
    from_right = _column(from_right, k_ptr + 9, y_above, gy, y_below, 2, True)
    return total + _at(from_left, left) + _at(from_right, right)


@triton.jit
def _gradient_back(
    total, q1, q2, left, right, up, down, x0, x1, y0, y1, k_ptr, PAPER: tl.constexpr
):
    """Adjoint of _gradient, added to total."""
    if PAPER:
        return _correlate_back(total, q1, q2, left, right, up, down, k_ptr)
    else:
        # x1 * q1 is 0 in the last column, where left of the first column points.
        return total + x0 * q1 + y0 * q2 + _at(x1 * q1, left) + _at(y1 * q2, up)


@triton.jit
def _shrink(p1, p2, q1, q2, step):
    z = EPS + q1 * q1 + q2 * q2
    d = 1 + (step * z) * tl.rsqrt(z)
    inverse = tl.rsqrt(d * d)
    return (p1 + step * q1) * inverse, (p2 + step * q2) * inverse


@triton.jit
def _new_u(
    u1, u2, p11, p12, p21, p22,
    rho, gx, gy, scale, bound,
    left, up,
    x0, x1, y0, y1,
):  # fmt: skip
    k = _clamp((rho + gx * u1 + gy * u2) * scale, bound)
    # Term by term, so that each is one fused multiply-add.
    u1 = u1 + k * gx + x1 * p11 + y1 * p12 + x0 * _at(p11, left) + y0 * _at(p12, up)
    u2 = u2 + k * gy + x1 * p21 + y1 * p22 + x0 * _at(p21, left) + y0 * _at(p22, up)
    return u1, u2


@triton.jit
def _iterate(
    u1, u2, p11, p12, p21, p22,
    rho, gx, gy, scale, bound, step,
    left, right, up, down,
    dx0, dx1, dy0, dy1, fx0, fx1, fy0, fy1,
    flow_ptr,
    PAPER: tl.constexpr,
):  # fmt: skip
    u1, u2 = _new_u(
        u1, u2, p11, p12, p21, p22,
        rho, gx, gy, scale, bound,
        left, up,
        dx0, dx1, dy0, dy1,
    )  # fmt: skip
    q11, q12 = _gradient(u1, left, right, up, down, fx0, fx1, fy0, fy1, flow_ptr, PAPER)
    q21, q22 = _gradient(u2, left, right, up, down, fx0, fx1, fy0, fy1, flow_ptr, PAPER)
    p11, p12 = _shrink(p11, p12, q11, q12, step)
    p21, p22 = _shrink(p21, p22, q21, q22, step)
    return u1, u2, p11, p12, p21, p22


@triton.jit
def _flow_taps(flow_ptr, y, x, h, w, PAPER: tl.constexpr):
    """tvl1's taps of the gradient of u, 0 in the last column or row."""
    if PAPER:
        zero = tl.zeros_like(x).to(tl.float32)
        return zero, zero, zero, zero
    else:
        x0 = tl.where(x < w - 1, tl.load(flow_ptr), 0.0)
        x1 = tl.where(x < w - 1, tl.load(flow_ptr + 1), 0.0)
        y0 = tl.where(y < h - 1, tl.load(flow_ptr + 2), 0.0)
        y1 = tl.where(y < h - 1, tl.load(flow_ptr + 3), 0.0)
        return x0, x1, y0, y1


@triton.jit
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
    scalars_ptr,  # (3,): theta, lam, tau
    pairs,  # N * (T - 1)
    pairs_per_clip,  # T - 1
    channels,
    h,
    w,
    n_iters,
    planes,
    never,  # 0
    PAPER: tl.constexpr,
    BLOCK: tl.constexpr,
):
    # All programs of a channel first: they share its kernels, and its maps' lines.
    programs = tl.cdiv(pairs, planes)
    channel = tl.program_id(0) // programs
    first = (tl.program_id(0) % programs) * planes
    i = tl.arange(0, BLOCK)
    plane = i // (h * w)
    y = (i % (h * w)) // w
    x = i % w
    pair = first + plane
    inside = (plane < planes) & (pair < pairs)
    n = (pair // pairs_per_clip).to(tl.int64)
    t = (pair % pairs_per_clip).to(tl.int64)
    o1 = n * stride_n + (0 * n + channel) * stride_c + t * stride_t
    o2 = o1 + stride_t
    if not PAPER:
        image_ptr += channel * 6
        flow_ptr += channel * 4
        div_ptr += channel * 4
    theta, lam = tl.load(scalars_ptr), tl.load(scalars_ptr + 1)
    step = tl.load(scalars_ptr + 2) / theta
    bound = lam * theta
    dx0, dx1 = theta * tl.load(div_ptr), theta * tl.load(div_ptr + 1)
    dy0, dy1 = theta * tl.load(div_ptr + 2), theta * tl.load(div_ptr + 3)

    gx, gy = _image_gradient(
        x_ptr, o1, o2, stride_h, stride_w, y, x, h, w, inside, image_ptr, PAPER
    )
    f1 = _load_map(x_ptr, o1, stride_h, stride_w, y, x, h, w, inside)
    f2 = _load_map(x_ptr, o2, stride_h, stride_w, y, x, h, w, inside)
    scale = -1 / (gx * gx + gy * gy + EPS)
    rho = f2 - f1
    left, right, up, down = _neighbours(i, plane < planes, y, x, h, w, BLOCK, PAPER)
    fx0, fx1, fy0, fy1 = _flow_taps(flow_ptr, y, x, h, w, PAPER)

    zero = tl.zeros([BLOCK], tl.float32)
    u1, u2, p11, p12, p21, p22 = zero, zero, zero, zero, zero, zero
    for _ in range(n_iters - 1):
        u1, u2, p11, p12, p21, p22 = _iterate(
            u1, u2, p11, p12, p21, p22,
            rho, gx, gy, scale, bound, step,
            left, right, up, down,
            dx0, dx1, dy0, dy1, fx0, fx1, fy0, fy1,
            flow_ptr,
            PAPER,
        )  # fmt: skip
    u1, u2 = _new_u(
        u1, u2, p11, p12, p21, p22,
        rho, gx, gy, scale, bound,
        left, up,
        dx0, dx1, dy0, dy1,
    )  # fmt: skip
    # Where the results go, computed again: kept, it would fill registers. The compiler
    # does not know that never is 0.
    i += never
    plane, y, x = i // (h * w), (i % (h * w)) // w, i % w
    pair = first + plane
    inside = (plane < planes) & (pair < pairs)
    n = (pair // pairs_per_clip).to(tl.int64)
    t = (pair % pairs_per_clip).to(tl.int64)
    out = (n * 2 * channels + channel) * pairs_per_clip + t
    out = out * (h * w) + y * w + x
    tl.store(out_ptr + out, u1, mask=inside)
    out += (0 * n + channels) * pairs_per_clip * (h * w)
    tl.store(out_ptr + out, u2, mask=inside)


@triton.jit
def _store_state(ptr, i, u1, u2, p11, p12, p21, p22, BLOCK: tl.constexpr):
    tl.store(ptr + i, u1)
    tl.store(ptr + BLOCK + i, u2)
    tl.store(ptr + 2 * BLOCK + i, p11)
    tl.store(ptr + 3 * BLOCK + i, p12)
    tl.store(ptr + 4 * BLOCK + i, p21)
    tl.store(ptr + 5 * BLOCK + i, p22)


@triton.jit
def _load_state(ptr, i, BLOCK: tl.constexpr):
    return (
        tl.load(ptr + i),
        tl.load(ptr + BLOCK + i),
        tl.load(ptr + 2 * BLOCK + i),
        tl.load(ptr + 3 * BLOCK + i),
        tl.load(ptr + 4 * BLOCK + i),
        tl.load(ptr + 5 * BLOCK + i),
    )


@triton.jit
def _shrink_back(g1, g2, p1, p2, q1, q2, step, share):
    """Adjoint of _shrink: gradients of old p and of q, and step's added to share."""
    z = EPS + q1 * q1 + q2 * q2
    inv_root = tl.rsqrt(z)
    root = z * inv_root
    d = 1 + step * root
    inverse = tl.rsqrt(d * d)
    g1, g2 = g1 * inverse, g2 * inverse
    d_grad = g1 * p1 + g2 * p2
    share = share + g1 * q1 + g2 * q2 - d_grad * root
    along = d_grad * inv_root
    return g1, g2, step * (g1 - along * q1), step * (g2 - along * q2), share


@triton.jit
def _sum_to(sums, lane, index, values):
    return sums + tl.where(lane == index, tl.sum(values, 0), 0.0)


@triton.jit
def _flow_sums(
    sums, lane, q1, q2, u, left, right, up, down, y, x, h, w, PAPER: tl.constexpr
):
    """Gradient of the flow kernel from one component of u."""
    if PAPER:
        above, below = _at(u, up), _at(u, down)
        for dy in tl.static_range(3):
            if dy == 0:
                row = above
            elif dy == 1:
                row = u
            else:
                row = below
            for dx in tl.static_range(3):
                if dx == 0:
                    value = _at(row, left)
                elif dx == 1:
                    value = row
                else:
                    value = _at(row, right)
                sums = _sum_to(sums, lane, SUM_FLOW + 3 * dy + dx, q1 * value)
                sums = _sum_to(sums, lane, SUM_FLOW + 9 + 3 * dy + dx, q2 * value)
    else:
        q1, q2 = tl.where(x < w - 1, q1, 0.0), tl.where(y < h - 1, q2, 0.0)
        sums = _sum_to(sums, lane, SUM_FLOW, q1 * u)
        sums = _sum_to(sums, lane, SUM_FLOW + 1, q1 * _at(u, right))
        sums = _sum_to(sums, lane, SUM_FLOW + 2, q2 * u)
        sums = _sum_to(sums, lane, SUM_FLOW + 3, q2 * _at(u, down))
    return sums


@triton.jit
def _central_back(g, before, after, place, size, k_ptr):
    """Adjoint of _central: gradients of F1 and of F2."""
    border = (place == 0) | (place == size - 1)
    inner = tl.where(border, 0.0, g)
    g2 = tl.load(k_ptr + 1) * inner
    g2 += tl.where(place < size - 1, tl.load(k_ptr) * _at(inner, after), 0.0)
    g2 += tl.where(place > 0, tl.load(k_ptr + 2) * _at(inner, before), 0.0)
    own = tl.where(border & (size > 1), 0.5 * g, 0.0)
    own = tl.where(place == 0, -own, own)
    g1 = own - tl.where(place == 1, _at(own, before), 0.0)
    g1 -= tl.where(place == size - 2, _at(own, after), 0.0)
    return g1, g2


@triton.jit
def _image_sums(
    sums, lane, gx, gy, ptr, o2, sh, sw, y, x, h, w, inside, PAPER: tl.constexpr
):
    """Gradient of the image kernel."""
    if PAPER:
        for dy in tl.static_range(3):
            for dx in tl.static_range(3):
                value = _load_map(ptr, o2, sh, sw, y + dy - 1, x + dx - 1, h, w, inside)
                index = SUM_FLOW + 18 + 3 * dy + dx
                sums = _sum_to(sums, lane, index, gx * value)
                sums = _sum_to(sums, lane, index + 9, gy * value)
    else:
        gx = tl.where((x > 0) & (x < w - 1), gx, 0.0)
        gy = tl.where((y > 0) & (y < h - 1), gy, 0.0)
        for tap in tl.static_range(3):
            value = _load_map(ptr, o2, sh, sw, y, x + tap - 1, h, w, inside)
            sums = _sum_to(sums, lane, SUM_FLOW + 4 + tap, gx * value)
            value = _load_map(ptr, o2, sh, sw, y + tap - 1, x, h, w, inside)
            sums = _sum_to(sums, lane, SUM_FLOW + 7 + tap, gy * value)
    return sums


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
    first_ptr,  # (N, C, T-1, H, W), contiguous: gradient of each pair's F1
    second_ptr,  # (N, C, T-1, H, W), contiguous: gradient of each pair's F2
    image_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 3)
    flow_ptr,  # paper (2, 3, 3), tvl1 (C, 2, 2)
    div_ptr,  # paper (2, 2), tvl1 (C, 2, 2)
    scalars_ptr,  # (3,): theta, lam, tau
    slab_ptr,  # (programs, states, STATE_MAPS, BLOCK)
    sums_ptr,  # (tasks, SUMS)
    pairs,  # N * (T - 1)
    pairs_per_clip,  # T - 1
    channels,
    h,
    w,
    n_iters,
    segment,  # iterations whose states are kept at a time
    segments,
    planes,
    never,  # 0
    PAPER: tl.constexpr,
    NEED_X: tl.constexpr,
    NEED_IMAGE: tl.constexpr,
    NEED_FLOW: tl.constexpr,
    NEED_DIV: tl.constexpr,
    BLOCK: tl.constexpr,
    SUMS: tl.constexpr,
):
    programs = tl.cdiv(pairs, planes)
    block: tl.constexpr = STATE_MAPS * BLOCK
    # States of the segment, then the first state of every segment but the first.
    states = segment + segments - 1
    slab_ptr += tl.program_id(0).to(tl.int64) * states * block
    checkpoints = slab_ptr + (segment - 1) * block

    i = tl.arange(0, BLOCK)
    lane = tl.arange(0, SUMS)
    plane = i // (h * w)
    y = (i % (h * w)) // w
    x = i % w
    left, right, up, down = _neighbours(i, plane < planes, y, x, h, w, BLOCK, PAPER)
    theta, lam = tl.load(scalars_ptr), tl.load(scalars_ptr + 1)
    step = tl.load(scalars_ptr + 2) / theta
    bound = lam * theta

    for task in range(tl.program_id(0), channels * programs, tl.num_programs(0)):
        channel = task // programs
        pair = (task % programs) * planes + plane
        inside = (plane < planes) & (pair < pairs)
        n = (pair // pairs_per_clip).to(tl.int64)
        t = (pair % pairs_per_clip).to(tl.int64)
        o1 = n * stride_n + (0 * n + channel) * stride_c + t * stride_t
        o2 = o1 + stride_t
        image, flow, div = image_ptr, flow_ptr, div_ptr
        if not PAPER:
            image += channel * 6
            flow += channel * 4
            div += channel * 4
        dx0, dx1 = theta * tl.load(div), theta * tl.load(div + 1)
        dy0, dy1 = theta * tl.load(div + 2), theta * tl.load(div + 3)
        fx0, fx1, fy0, fy1 = _flow_taps(flow, y, x, h, w, PAPER)

        gx, gy = _image_gradient(
            x_ptr, o1, o2, stride_h, stride_w, y, x, h, w, inside, image, PAPER
        )
        f1 = _load_map(x_ptr, o1, stride_h, stride_w, y, x, h, w, inside)
        f2 = _load_map(x_ptr, o2, stride_h, stride_w, y, x, h, w, inside)
        scale = -1 / (gx * gx + gy * gy + EPS)
        rho = f2 - f1

        # First state of every segment.
        zero = tl.zeros([BLOCK], tl.float32)
        u1, u2, p11, p12, p21, p22 = zero, zero, zero, zero, zero, zero
        for index in range(1, segments):
            for _ in range(segment):
                u1, u2, p11, p12, p21, p22 = _iterate(
                    u1, u2, p11, p12, p21, p22,
                    rho, gx, gy, scale, bound, step,
                    left, right, up, down,
                    dx0, dx1, dy0, dy1, fx0, fx1, fy0, fy1,
                    flow,
                    PAPER,
                )  # fmt: skip
            _store_state(
                checkpoints + index * block, i, u1, u2, p11, p12, p21, p22, BLOCK
            )

        g = n * grad_stride_n + (0 * n + channel) * grad_stride_c
        g += t * grad_stride_t
        u1_grad = _load_map(
            grad_ptr, g, grad_stride_h, grad_stride_w, y, x, h, w, inside
        )
        g += (0 * n + channels) * grad_stride_c
        u2_grad = _load_map(
            grad_ptr, g, grad_stride_h, grad_stride_w, y, x, h, w, inside
        )
        g11, g12, g21, g22 = zero, zero, zero, zero
        rho_sum, gx_sum, gy_sum = zero, zero, zero
        step_sum, bound_sum = zero, zero
        sum_x0, sum_x1, sum_y0, sum_y1 = zero, zero, zero, zero
        sums = tl.zeros([SUMS], tl.float32)
        # Nothing comes back through the last p: its gradient is 0, its value free.
        v1, v2, v11, v12, v21, v22 = zero, zero, zero, zero, zero, zero

        for back in range(segments):
            index = segments - 1 - back
            begin = index * segment
            end = tl.minimum(begin + segment, n_iters)
            if index == 0:
                u1, u2, p11, p12, p21, p22 = zero, zero, zero, zero, zero, zero
            else:
                u1, u2, p11, p12, p21, p22 = _load_state(
                    checkpoints + index * block, i, BLOCK
                )
            tl.debug_barrier()
            _store_state(slab_ptr, i, u1, u2, p11, p12, p21, p22, BLOCK)
            for j in range(1, end - begin):
                u1, u2, p11, p12, p21, p22 = _iterate(
                    u1, u2, p11, p12, p21, p22,
                    rho, gx, gy, scale, bound, step,
                    left, right, up, down,
                    dx0, dx1, dy0, dy1, fx0, fx1, fy0, fy1,
                    flow,
                    PAPER,
                )  # fmt: skip
                _store_state(slab_ptr + j * block, i, u1, u2, p11, p12, p21, p22, BLOCK)
            tl.debug_barrier()

            for j in range(end - begin):
                u1, u2, p11, p12, p21, p22 = _load_state(
                    slab_ptr + (end - begin - 1 - j) * block, i, BLOCK
                )
                # Through p = shrink(old p, gradient of u).
                q11, q12 = _gradient(
                    v1, left, right, up, down, fx0, fx1, fy0, fy1, flow, PAPER
                )
                g11, g12, q11, q12, step_sum = _shrink_back(
                    g11, g12, v11, v12, q11, q12, step, step_sum
                )
                q21, q22 = _gradient(
                    v2, left, right, up, down, fx0, fx1, fy0, fy1, flow, PAPER
                )
                g21, g22, q21, q22, step_sum = _shrink_back(
                    g21, g22, v21, v22, q21, q22, step, step_sum
                )
                u1_grad = _gradient_back(
                    u1_grad, q11, q12,
                    left, right, up, down, fx0, fx1, fy0, fy1, flow, PAPER,
                )  # fmt: skip
                u2_grad = _gradient_back(
                    u2_grad, q21, q22,
                    left, right, up, down, fx0, fx1, fy0, fy1, flow, PAPER,
                )  # fmt: skip
                if NEED_FLOW:
                    sums = _flow_sums(
                        sums, lane, q11, q12, v1,
                        left, right, up, down, y, x, h, w, PAPER,
                    )  # fmt: skip
                    sums = _flow_sums(
                        sums, lane, q21, q22, v2,
                        left, right, up, down, y, x, h, w, PAPER,
                    )  # fmt: skip
                # Through u = old u + k * gradient of F2 + theta * divergence(old p).
                if NEED_DIV:
                    sum_x0 = sum_x0 + u1_grad * _at(p11, left)
                    sum_x0 = sum_x0 + u2_grad * _at(p21, left)
                    sum_x1 = sum_x1 + u1_grad * p11 + u2_grad * p21
                    sum_y0 = sum_y0 + u1_grad * _at(p12, up)
                    sum_y0 = sum_y0 + u2_grad * _at(p22, up)
                    sum_y1 = sum_y1 + u1_grad * p12 + u2_grad * p22
                g11 = g11 + dx1 * u1_grad + dx0 * _at(u1_grad, right)
                g12 = g12 + dy1 * u1_grad + dy0 * _at(u1_grad, down)
                g21 = g21 + dx1 * u2_grad + dx0 * _at(u2_grad, right)
                g22 = g22 + dy1 * u2_grad + dy0 * _at(u2_grad, down)
                r = (rho + gx * u1 + gy * u2) * scale
                k_grad = u1_grad * gx + u2_grad * gy
                above, below = r > bound, r < -bound
                bound_sum += tl.where(above, k_grad, tl.where(below, -k_grad, 0.0))
                r_grad = tl.where(above | below, 0.0, k_grad) * scale
                if NEED_X or NEED_IMAGE:
                    k = _clamp(r, bound)
                    rho_sum += r_grad
                    gx_sum = gx_sum + k * u1_grad + r_grad * (u1 + 2 * k * gx)
                    gy_sum = gy_sum + k * u2_grad + r_grad * (u2 + 2 * k * gy)
                u1_grad += r_grad * gx
                u2_grad += r_grad * gy
                v1, v2, v11, v12, v21, v22 = u1, u2, p11, p12, p21, p22

        sums = _sum_to(sums, lane, SUM_STEP, step_sum)
        sums = _sum_to(sums, lane, SUM_BOUND, bound_sum)
        if NEED_DIV:
            sums = _sum_to(sums, lane, SUM_DIV, sum_x0)
            sums = _sum_to(sums, lane, SUM_DIV + 1, sum_x1)
            sums = _sum_to(sums, lane, SUM_DIV + 2, sum_y0)
            sums = _sum_to(sums, lane, SUM_DIV + 3, sum_y1)
        # As in forward_kernel.
        i_out = i + never * task
        plane_out = i_out // (h * w)
        y, x = (i_out % (h * w)) // w, i_out % w
        pair = (task % programs) * planes + plane_out
        inside = (plane_out < planes) & (pair < pairs)
        n = (pair // pairs_per_clip).to(tl.int64)
        t = (pair % pairs_per_clip).to(tl.int64)
        if NEED_IMAGE:
            o2 = n * stride_n + (0 * n + channel) * stride_c + (t + 1) * stride_t
            sums = _image_sums(
                sums, lane, gx_sum, gy_sum, x_ptr, o2, stride_h, stride_w,
                y, x, h, w, inside, PAPER,
            )  # fmt: skip
        tl.store(sums_ptr + task * SUMS + lane, sums)

        if NEED_X:
            first, second = -rho_sum, rho_sum
            if PAPER:
                second = _correlate_back(
                    second, gx_sum, gy_sum, left, right, up, down, image
                )
            else:
                g1, g2 = _central_back(gx_sum, left, right, x, w, image)
                first += g1
                second += g2
                g1, g2 = _central_back(gy_sum, up, down, y, h, image + 3)
                first += g1
                second += g2
            maps = n * channels + channel
            to = (maps * pairs_per_clip + t) * (h * w) + y * w + x
            tl.store(first_ptr + to, first, mask=inside)
            tl.store(second_ptr + to, second, mask=inside)
