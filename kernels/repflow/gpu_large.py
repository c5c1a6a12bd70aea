"""Representation flow on GPUs, backward, for maps that a program cannot hold.

State lies in global memory; every iteration is two launches, one for u and one for p,
each safe in place because a pixel writes only what its neighbours do not read in that
launch. The way back takes two as well. Programs work on BLOCK pixels of one map, maps
(n, c, t) one after another, so that a channel's kernels are scalars.
"""

import triton
import triton.language as tl

from .gpu import EPS, clamp, shrink
from .gpu_backward import SUM_BOUND, SUM_DIV, SUM_FLOW, SUM_STEP, shrink_back


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
def _sum_to(sums, lane, index, values):
    return sums + tl.where(lane == index, tl.sum(values, 0), 0.0)


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
def _place(h, w, BLOCK: tl.constexpr):
    """Offset of the program's map, and the pixels: index, y, x, which exist."""
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    base = tl.program_id(0).to(tl.int64) * h * w
    return base, i, i // w, i % w, i < h * w


@triton.jit
def _near(ptr, base, y, x, h, w, ok):
    """Pixels of a contiguous map, 0 outside."""
    ok = ok & (y >= 0) & (y < h) & (x >= 0) & (x < w)
    return tl.load(ptr + base + y * w + x, mask=ok, other=0.0)


@triton.jit
def _channel_kernel(ptr, channel, TAPS: tl.constexpr, PAPER: tl.constexpr):
    if PAPER:
        return ptr
    else:
        return ptr + channel * TAPS


@triton.jit
def _gradient(ptr, base, y, x, h, w, ok, k_ptr, PAPER: tl.constexpr):
    if PAPER:
        qx = tl.zeros_like(x).to(tl.float32)
        qy = qx
        for dy in tl.static_range(3):
            for dx in tl.static_range(3):
                value = _near(ptr, base, y + dy - 1, x + dx - 1, h, w, ok)
                qx += tl.load(k_ptr + 3 * dy + dx) * value
                qy += tl.load(k_ptr + 9 + 3 * dy + dx) * value
    else:
        own = _near(ptr, base, y, x, h, w, ok)
        right = _near(ptr, base, y, x + 1, h, w, ok)
        down = _near(ptr, base, y + 1, x, h, w, ok)
        qx = tl.load(k_ptr) * own + tl.load(k_ptr + 1) * right
        qy = tl.load(k_ptr + 2) * own + tl.load(k_ptr + 3) * down
        qx, qy = tl.where(x < w - 1, qx, 0.0), tl.where(y < h - 1, qy, 0.0)
    return qx, qy


@triton.jit
def _gradient_back(total, qx, qy, base, y, x, h, w, ok, k_ptr, PAPER: tl.constexpr):
    """Adjoint of _gradient, added to total; for tvl1, q is 0 where it is cut off."""
    if PAPER:
        for dy in tl.static_range(3):
            for dx in tl.static_range(3):
                value = _near(qx, base, y + 1 - dy, x + 1 - dx, h, w, ok)
                total += tl.load(k_ptr + 3 * dy + dx) * value
                value = _near(qy, base, y + 1 - dy, x + 1 - dx, h, w, ok)
                total += tl.load(k_ptr + 9 + 3 * dy + dx) * value
    else:
        total += tl.load(k_ptr) * _near(qx, base, y, x, h, w, ok)
        total += tl.load(k_ptr + 1) * _near(qx, base, y, x - 1, h, w, ok)
        total += tl.load(k_ptr + 2) * _near(qy, base, y, x, h, w, ok)
        total += tl.load(k_ptr + 3) * _near(qy, base, y - 1, x, h, w, ok)
    return total


@triton.jit
def _map_offsets(channels, pairs_per_clip, stride_n, stride_c, stride_t):
    """Of the program's map: channel, and where F1 and F2 begin."""
    index = tl.program_id(0)
    t = (index % pairs_per_clip).to(tl.int64)
    channel = (index // pairs_per_clip) % channels
    n = (index // (pairs_per_clip * channels)).to(tl.int64)
    first = n * stride_n + (0 * n + channel) * stride_c + t * stride_t
    return channel, first, first + stride_t


@triton.jit
def prepare_kernel(
    x_ptr,  # (N, C, T, H, W), strides follow
    stride_n,
    stride_c,
    stride_t,
    stride_h,
    stride_w,
    maps_ptr,  # (4, M, H, W): gx, gy, rho, -1 / |grad|^2
    image_ptr,
    map_stride,  # M * H * W
    channels,
    pairs_per_clip,
    h,
    w,
    PAPER: tl.constexpr,
    BLOCK: tl.constexpr,
):
    base, i, y, x, ok = _place(h, w, BLOCK)
    channel, o1, o2 = _map_offsets(
        channels, pairs_per_clip, stride_n, stride_c, stride_t
    )
    k_ptr = _channel_kernel(image_ptr, channel, 6, PAPER)
    gx, gy = _image_gradient(
        x_ptr, o1, o2, stride_h, stride_w, y, x, h, w, ok, k_ptr, PAPER
    )
    f1 = _load_map(x_ptr, o1, stride_h, stride_w, y, x, h, w, ok)
    f2 = _load_map(x_ptr, o2, stride_h, stride_w, y, x, h, w, ok)
    at = maps_ptr + base + i
    tl.store(at, gx, mask=ok)
    tl.store(at + map_stride, gy, mask=ok)
    tl.store(at + 2 * map_stride, f2 - f1, mask=ok)
    tl.store(at + 3 * map_stride, -1 / (gx * gx + gy * gy + EPS), mask=ok)


@triton.jit
def u_kernel(
    maps_ptr,  # (4, M, H, W)
    old_ptr,  # (6, M, H, W): u1, u2, p11, p12, p21, p22
    new_ptr,  # (6, M, H, W): u1 and u2 are written; may be old_ptr
    div_ptr,
    scalars_ptr,  # (3,): theta, lam, tau
    map_stride,
    channels,
    pairs_per_clip,
    h,
    w,
    PAPER: tl.constexpr,
    BLOCK: tl.constexpr,
):
    base, i, y, x, ok = _place(h, w, BLOCK)
    channel = (tl.program_id(0) // pairs_per_clip) % channels
    k_ptr = _channel_kernel(div_ptr, channel, 4, PAPER)
    theta = tl.load(scalars_ptr)
    bound = theta * tl.load(scalars_ptr + 1)
    at = base + i
    gx = tl.load(maps_ptr + at, mask=ok, other=0.0)
    gy = tl.load(maps_ptr + map_stride + at, mask=ok, other=0.0)
    rho = tl.load(maps_ptr + 2 * map_stride + at, mask=ok, other=0.0)
    scale = tl.load(maps_ptr + 3 * map_stride + at, mask=ok, other=0.0)
    u1 = tl.load(old_ptr + at, mask=ok, other=0.0)
    u2 = tl.load(old_ptr + map_stride + at, mask=ok, other=0.0)
    k = clamp((rho + gx * u1 + gy * u2) * scale, bound)
    u1 += k * gx
    u2 += k * gy
    p_ptr = old_ptr + 2 * map_stride
    for tap in tl.static_range(2):
        weight = theta * tl.load(k_ptr + tap)
        u1 += weight * _near(p_ptr, base, y, x - 1 + tap, h, w, ok)
        u2 += weight * _near(p_ptr + 2 * map_stride, base, y, x - 1 + tap, h, w, ok)
        weight = theta * tl.load(k_ptr + 2 + tap)
        u1 += weight * _near(p_ptr + map_stride, base, y - 1 + tap, x, h, w, ok)
        u2 += weight * _near(p_ptr + 3 * map_stride, base, y - 1 + tap, x, h, w, ok)
    tl.store(new_ptr + at, u1, mask=ok)
    tl.store(new_ptr + map_stride + at, u2, mask=ok)


@triton.jit
def p_kernel(
    old_ptr,  # (6, M, H, W)
    new_ptr,  # (6, M, H, W): u is read, p is written; may be old_ptr
    flow_ptr,
    scalars_ptr,
    map_stride,
    channels,
    pairs_per_clip,
    h,
    w,
    PAPER: tl.constexpr,
    BLOCK: tl.constexpr,
):
    base, i, y, x, ok = _place(h, w, BLOCK)
    channel = (tl.program_id(0) // pairs_per_clip) % channels
    k_ptr = _channel_kernel(flow_ptr, channel, 4, PAPER)
    step = tl.load(scalars_ptr + 2) / tl.load(scalars_ptr)
    for component in tl.static_range(2):
        u_ptr = new_ptr + component * map_stride
        q1, q2 = _gradient(u_ptr, base, y, x, h, w, ok, k_ptr, PAPER)
        at = (2 + 2 * component) * map_stride + base + i
        p1 = tl.load(old_ptr + at, mask=ok, other=0.0)
        p2 = tl.load(old_ptr + at + map_stride, mask=ok, other=0.0)
        p1, p2 = shrink(p1, p2, q1, q2, step)
        tl.store(new_ptr + at, p1, mask=ok)
        tl.store(new_ptr + at + map_stride, p2, mask=ok)


@triton.jit
def p_back_kernel(
    new_ptr,  # (6, M, H, W)
    p_grad_ptr,  # (4, M, H, W): of p, in and out
    q_grad_ptr,  # (4, M, H, W): of the gradient of u, out
    u_grad_ptr,  # (2, M, H, W): of the u after this one, with which p was used
    flow_ptr,
    div_ptr,
    scalars_ptr,
    sums_ptr,  # (M, blocks, SUMS)
    map_stride,
    channels,
    pairs_per_clip,
    h,
    w,
    PAPER: tl.constexpr,
    NEED_FLOW: tl.constexpr,
    BLOCK: tl.constexpr,
    SUMS: tl.constexpr,
):
    base, i, y, x, ok = _place(h, w, BLOCK)
    channel = (tl.program_id(0) // pairs_per_clip) % channels
    k_ptr = _channel_kernel(flow_ptr, channel, 4, PAPER)
    d_ptr = _channel_kernel(div_ptr, channel, 4, PAPER)
    theta = tl.load(scalars_ptr)
    step = tl.load(scalars_ptr + 2) / theta
    lane = tl.arange(0, SUMS)
    slot = (
        sums_ptr
        + (tl.program_id(0).to(tl.int64) * tl.num_programs(1) + tl.program_id(1)) * SUMS
    )
    sums = tl.load(slot + lane)
    share = tl.zeros([BLOCK], tl.float32)
    for component in tl.static_range(2):
        at = 2 * component * map_stride + base + i
        u_grad = u_grad_ptr + component * map_stride
        own = _near(u_grad, base, y, x, h, w, ok)
        right = _near(u_grad, base, y, x + 1, h, w, ok)
        down = _near(u_grad, base, y + 1, x, h, w, ok)
        g1 = tl.load(p_grad_ptr + at, mask=ok, other=0.0)
        g1 += theta * (tl.load(d_ptr + 1) * own + tl.load(d_ptr) * right)
        g2 = tl.load(p_grad_ptr + map_stride + at, mask=ok, other=0.0)
        g2 += theta * (tl.load(d_ptr + 3) * own + tl.load(d_ptr + 2) * down)
        u_ptr = new_ptr + component * map_stride
        q1, q2 = _gradient(u_ptr, base, y, x, h, w, ok, k_ptr, PAPER)
        p1 = tl.load(new_ptr + 2 * map_stride + at, mask=ok, other=0.0)
        p2 = tl.load(new_ptr + 3 * map_stride + at, mask=ok, other=0.0)
        g1, g2, q1, q2, more = shrink_back(g1, g2, p1, p2, q1, q2, step)
        share += more
        if not PAPER:
            q1, q2 = tl.where(x < w - 1, q1, 0.0), tl.where(y < h - 1, q2, 0.0)
        q1, q2 = tl.where(ok, q1, 0.0), tl.where(ok, q2, 0.0)
        tl.store(p_grad_ptr + at, g1, mask=ok)
        tl.store(p_grad_ptr + map_stride + at, g2, mask=ok)
        tl.store(q_grad_ptr + at, q1, mask=ok)
        tl.store(q_grad_ptr + map_stride + at, q2, mask=ok)
        if NEED_FLOW:
            if PAPER:
                for dy in tl.static_range(3):
                    for dx in tl.static_range(3):
                        value = _near(u_ptr, base, y + dy - 1, x + dx - 1, h, w, ok)
                        tap = SUM_FLOW + 3 * dy + dx
                        sums = _sum_to(sums, lane, tap, q1 * value)
                        sums = _sum_to(sums, lane, tap + 9, q2 * value)
            else:
                u = _near(u_ptr, base, y, x, h, w, ok)
                sums = _sum_to(sums, lane, SUM_FLOW, q1 * u)
                sums = _sum_to(sums, lane, SUM_FLOW + 2, q2 * u)
                u = _near(u_ptr, base, y, x + 1, h, w, ok)
                sums = _sum_to(sums, lane, SUM_FLOW + 1, q1 * u)
                u = _near(u_ptr, base, y + 1, x, h, w, ok)
                sums = _sum_to(sums, lane, SUM_FLOW + 3, q2 * u)
    sums = _sum_to(sums, lane, SUM_STEP, tl.where(ok, share, 0.0))
    tl.store(slot + lane, sums)


@triton.jit
def u_back_kernel(
    maps_ptr,  # (4, M, H, W)
    old_ptr,  # (6, M, H, W)
    q_grad_ptr,  # (4, M, H, W)
    u_grad_ptr,  # (2, M, H, W): out, of the new u
    u_old_grad_ptr,  # (2, M, H, W): in, of the new u without q's part; out, of the old
    map_sums_ptr,  # (3, M, H, W): gradients of rho, gx, gy
    flow_ptr,
    scalars_ptr,
    sums_ptr,  # (M, blocks, SUMS)
    map_stride,
    channels,
    pairs_per_clip,
    h,
    w,
    PAPER: tl.constexpr,
    NEED_MAPS: tl.constexpr,
    NEED_DIV: tl.constexpr,
    BLOCK: tl.constexpr,
    SUMS: tl.constexpr,
):
    base, i, y, x, ok = _place(h, w, BLOCK)
    channel = (tl.program_id(0) // pairs_per_clip) % channels
    k_ptr = _channel_kernel(flow_ptr, channel, 4, PAPER)
    bound = tl.load(scalars_ptr) * tl.load(scalars_ptr + 1)
    at = base + i
    g1 = tl.load(u_old_grad_ptr + at, mask=ok, other=0.0)
    g2 = tl.load(u_old_grad_ptr + map_stride + at, mask=ok, other=0.0)
    q = q_grad_ptr
    g1 = _gradient_back(g1, q, q + map_stride, base, y, x, h, w, ok, k_ptr, PAPER)
    q += 2 * map_stride
    g2 = _gradient_back(g2, q, q + map_stride, base, y, x, h, w, ok, k_ptr, PAPER)
    tl.store(u_grad_ptr + at, g1, mask=ok)
    tl.store(u_grad_ptr + map_stride + at, g2, mask=ok)

    lane = tl.arange(0, SUMS)
    slot = (
        sums_ptr
        + (tl.program_id(0).to(tl.int64) * tl.num_programs(1) + tl.program_id(1)) * SUMS
    )
    sums = tl.load(slot + lane)
    if NEED_DIV:
        p = old_ptr + 2 * map_stride
        for tap in tl.static_range(2):
            both = g1 * _near(p, base, y, x - 1 + tap, h, w, ok)
            both += g2 * _near(p + 2 * map_stride, base, y, x - 1 + tap, h, w, ok)
            sums = _sum_to(sums, lane, SUM_DIV + tap, both)
            both = g1 * _near(p + map_stride, base, y - 1 + tap, x, h, w, ok)
            both += g2 * _near(p + 3 * map_stride, base, y - 1 + tap, x, h, w, ok)
            sums = _sum_to(sums, lane, SUM_DIV + 2 + tap, both)

    gx = tl.load(maps_ptr + at, mask=ok, other=0.0)
    gy = tl.load(maps_ptr + map_stride + at, mask=ok, other=0.0)
    rho = tl.load(maps_ptr + 2 * map_stride + at, mask=ok, other=0.0)
    scale = tl.load(maps_ptr + 3 * map_stride + at, mask=ok, other=0.0)
    u1 = tl.load(old_ptr + at, mask=ok, other=0.0)
    u2 = tl.load(old_ptr + map_stride + at, mask=ok, other=0.0)
    r = (rho + gx * u1 + gy * u2) * scale
    k_grad = g1 * gx + g2 * gy
    above, below = r > bound, r < -bound
    share = tl.where(above, k_grad, tl.where(below, -k_grad, 0.0))
    sums = _sum_to(sums, lane, SUM_BOUND, share)
    tl.store(slot + lane, sums)
    r_grad = tl.where(above | below, 0.0, k_grad) * scale
    if NEED_MAPS:
        k = clamp(r, bound)
        to = map_sums_ptr + at
        tl.store(to, tl.load(to, mask=ok) + r_grad, mask=ok)
        to += map_stride
        change = k * g1 + r_grad * (u1 + 2 * k * gx)
        tl.store(to, tl.load(to, mask=ok) + change, mask=ok)
        to += map_stride
        change = k * g2 + r_grad * (u2 + 2 * k * gy)
        tl.store(to, tl.load(to, mask=ok) + change, mask=ok)
    tl.store(u_old_grad_ptr + at, g1 + r_grad * gx, mask=ok)
    tl.store(u_old_grad_ptr + map_stride + at, g2 + r_grad * gy, mask=ok)


@triton.jit
def _central_back(ptr, base, y, x, dy, dx, place, size, h, w, ok, k_ptr):
    """Adjoint of _central: gradients of F1 and of F2 from the map at ptr."""
    own = _near(ptr, base, y, x, h, w, ok)
    before = _near(ptr, base, y - dy, x - dx, h, w, ok)
    after = _near(ptr, base, y + dy, x + dx, h, w, ok)
    border = (place == 0) | (place == size - 1)
    g2 = tl.where(border, 0.0, tl.load(k_ptr + 1) * own)
    # A neighbour's derivative uses this pixel of F2 where the neighbour is inside.
    g2 += tl.where(place + 1 < size - 1, tl.load(k_ptr) * after, 0.0)
    g2 += tl.where(place > 1, tl.load(k_ptr + 2) * before, 0.0)
    g1 = tl.where(place == 0, -own, 0.0) + tl.where(place == size - 1, own, 0.0)
    g1 += tl.where(place == 1, before, 0.0)
    g1 -= tl.where(place == size - 2, after, 0.0)
    return tl.where(size > 1, 0.5 * g1, 0.0), tl.where(size > 1, g2, 0.0)


@triton.jit
def maps_back_kernel(
    x_ptr,  # (N, C, T, H, W), strides follow
    stride_n,
    stride_c,
    stride_t,
    stride_h,
    stride_w,
    map_sums_ptr,  # (3, M, H, W): gradients of rho, gx, gy
    first_ptr,  # (M, H, W): out, gradient of each pair's F1
    second_ptr,  # (M, H, W): out, of its F2
    image_ptr,
    sums_ptr,  # (M, blocks, SUMS)
    map_stride,
    channels,
    pairs_per_clip,
    h,
    w,
    PAPER: tl.constexpr,
    NEED_X: tl.constexpr,
    NEED_IMAGE: tl.constexpr,
    BLOCK: tl.constexpr,
    SUMS: tl.constexpr,
):
    base, i, y, x, ok = _place(h, w, BLOCK)
    channel, _o1, o2 = _map_offsets(
        channels, pairs_per_clip, stride_n, stride_c, stride_t
    )
    k_ptr = _channel_kernel(image_ptr, channel, 6, PAPER)
    gx_ptr = map_sums_ptr + map_stride
    gy_ptr = gx_ptr + map_stride
    if NEED_X:
        second = _near(map_sums_ptr, base, y, x, h, w, ok)
        first = -second
        if PAPER:
            second = _gradient_back(
                second, gx_ptr, gy_ptr, base, y, x, h, w, ok, k_ptr, PAPER
            )
        else:
            g1, g2 = _central_back(gx_ptr, base, y, x, 0, 1, x, w, h, w, ok, k_ptr)
            first += g1
            second += g2
            k_ptr += 3
            g1, g2 = _central_back(gy_ptr, base, y, x, 1, 0, y, h, h, w, ok, k_ptr)
            first += g1
            second += g2
        tl.store(first_ptr + base + i, first, mask=ok)
        tl.store(second_ptr + base + i, second, mask=ok)
    if NEED_IMAGE:
        lane = tl.arange(0, SUMS)
        slot = (
            sums_ptr
            + (tl.program_id(0).to(tl.int64) * tl.num_programs(1) + tl.program_id(1))
            * SUMS
        )
        gx = _near(gx_ptr, base, y, x, h, w, ok)
        gy = _near(gy_ptr, base, y, x, h, w, ok)
        sums = _image_sums(
            tl.load(slot + lane), lane, gx, gy, x_ptr, o2, stride_h, stride_w,
            y, x, h, w, ok, PAPER,
        )  # fmt: skip
        tl.store(slot + lane, sums)
