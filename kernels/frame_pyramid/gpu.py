"""Normalized and reduced frames on GPUs, in Triton: along y, then along x.

In the first kernel a program holds a block of columns of one frame, all channels, and
walks down its rows. Each row is read and normalized once, and added, weighted, to the
two rows of every size in which it has a part; complete rows are stored. The second
kernel reduces those along x. There are no atomics, and results repeat bit by bit.

Offsets are int64; only those in the sums of one frame, rows of all sizes x width x
channels, have to be fewer than 2^31.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import triton
import triton.language as tl
from torch import Tensor

from .._common.launch import device_guard
from .._common.triton_options import LAUNCH_OPTIONS, compile_once
from .tables import gather, scatter

COLUMNS = 32  # of a program that normalizes, one for a thread
BLOCK = 128  # pixels of a program that reduces along x


@triton.jit
def _add_row(
    value, y, sums, tall_ptr, out, rows_ptr, shares_ptr, factor, power, w, ok,
    SIZES: tl.constexpr,
):  # fmt: skip
    """Normalize row y and add it to the sums; store and replace those complete.

    sums: for each size the first row of tall in which row y - 1 has a part, and the
    sums of that row and of the next one. ok: which channels and columns exist.
    """
    parts = ()
    for k in tl.static_range(SIZES):
        row = tl.load(rows_ptr + y * SIZES + k)
        share = tl.load(shares_ptr + 2 * y * SIZES + k)
        rest = tl.load(shares_ptr + (2 * y + 1) * SIZES + k)
        parts += ((row, share, rest),)
    squares = tl.sum(value * value, 0, keep_dims=True)
    # the sum is at least 1, so that its logarithm has no special cases
    normal = value * tl.exp2(power * tl.log2(1 + factor * squares))
    added = ()
    for k in tl.static_range(SIZES):
        before, own, following = sums[k]
        row, share, rest = parts[k]
        if row != before:  # in all threads or in none
            tl.store(tall_ptr + (out + before * w), own, mask=ok)
            own = following
            following = tl.zeros_like(own)
        added += ((row, own + share * normal, following + rest * normal),)
    return added


@triton.jit
def _row(ptr, y, sh, h, ok):
    """Row y of a block of columns, 0 past the last.

    Columns are said to follow each other, so that every version of Triton gives each
    thread one, whatever their stride; see ../repflow/gpu/memory.py.
    """
    at = ptr + y.to(tl.int64) * sh
    at = tl.multiple_of(tl.max_contiguous(at, [1, 2]), [1, 1])
    value = tl.load(at, mask=ok & (y < h), other=0.0)
    return value.to(tl.float32)


@compile_once
def rows_kernel(
    frames_ptr,  # (N, C, T, H, W), any strides
    rows_ptr,  # (H, SIZES), int32: the first row of tall in which a row has a part
    shares_ptr,  # (H, 2, SIZES), float32: its parts in that row and in the next one
    integers_ptr,  # (sizes, 8), int64, see _device_tables
    tall_ptr,  # (N, T, C, rows of all sizes, W), float32, contiguous
    sn,
    sc,
    st,
    sh,
    sw,
    channels,
    clip,  # frames of a clip
    h,
    w,
    rows,
    factor,
    power,
    SIZES: tl.constexpr,
    CHANNELS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Normalize the frames, and reduce them along y to the heights of all sizes.

    sn, sc, st, sh, sw are strides. The tables have a multiple of four rows.
    """
    blocks = tl.cdiv(w, COLUMNS)
    frame = tl.program_id(0) // blocks
    c = tl.arange(0, CHANNELS)[:, None]
    x = (tl.program_id(0) % blocks * COLUMNS + tl.arange(0, COLUMNS))[None, :]
    ok = (c < channels) & (x < w)
    n, t = (frame // clip).to(tl.int64), (frame % clip).to(tl.int64)
    ptr = frames_ptr + n * sn + t * st + c.to(tl.int64) * sc + x.to(tl.int64) * sw
    tall_ptr += frame.to(tl.int64) * channels * rows * w
    out = c * rows * w + x
    sums = ()
    for k in tl.static_range(SIZES):
        zero = tl.zeros((CHANNELS, COLUMNS), tl.float32)
        sums += ((tl.load(rows_ptr + k), zero, zero),)

    # the next rows are on their way while these are added
    y = tl.program_id(0) * 0
    v0, v1 = _row(ptr, y, sh, h, ok), _row(ptr, y + 1, sh, h, ok)
    v2, v3 = _row(ptr, y + 2, sh, h, ok), _row(ptr, y + 3, sh, h, ok)
    for _ in range(0, h, 4):
        n0, n1 = _row(ptr, y + 4, sh, h, ok), _row(ptr, y + 5, sh, h, ok)
        n2, n3 = _row(ptr, y + 6, sh, h, ok), _row(ptr, y + 7, sh, h, ok)
        for k in tl.static_range(4):
            sums = _add_row(
                (v0, v1, v2, v3)[k], y + k, sums, tall_ptr, out, rows_ptr, shares_ptr,
                factor, power, w, ok, SIZES,
            )  # fmt: skip
        v0, v1, v2, v3 = n0, n1, n2, n3
        y += 4
    for k in tl.static_range(SIZES):
        row, own, following = sums[k]
        end = tl.load(integers_ptr + 8 * k + 1) + tl.load(integers_ptr + 8 * k + 3)
        tl.store(tall_ptr + (out + row * w), own, mask=ok)
        tl.store(tall_ptr + (out + (row + 1) * w), following, mask=ok & (row + 1 < end))


@compile_once
def columns_kernel(
    tall_ptr,  # (planes, rows of all sizes, W), float32
    first_ptr,  # (columns of all sizes, 2), int32: first pixel, pixels
    weights_ptr,  # (columns, taps) of all sizes, one after another
    integers_ptr,  # (sizes, 8), int64, see _device_tables
    out_ptr,  # (planes, h, w) of all sizes, one after another
    count,  # sizes
    planes,
    w,
    rows,
    BLOCK: tl.constexpr,
):
    """Reduce BLOCK pixels of one size along x."""
    program = tl.program_id(0)
    size = 0
    for k in range(1, count):
        size += (program >= tl.load(integers_ptr + 8 * k)).to(tl.int32)
    at = integers_ptr + 8 * size
    begin, height, width = tl.load(at), tl.load(at + 1), tl.load(at + 2)
    first_row, place, first_column = tl.load(at + 3), tl.load(at + 4), tl.load(at + 5)
    weights, taps = tl.load(at + 6), tl.load(at + 7)
    pixel = (program - begin) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < planes * height * width
    x, line = pixel % width, pixel // width
    row = line // height * rows + first_row + line % height
    table = first_ptr + 2 * (first_column + x)
    first = tl.load(table, mask=inside, other=0)
    pixels = tl.load(table + 1, mask=inside, other=0)
    source = tall_ptr + row * w + first
    weight = weights_ptr + weights + x * taps
    total = tl.zeros((BLOCK,), tl.float32)
    for k in range(taps):
        ok = k < pixels
        value = tl.load(source + k, mask=ok, other=0.0)
        total += tl.load(weight + k, mask=ok, other=0.0) * value
    tl.store(out_ptr + place + pixel, total, mask=inside)


class _Tables(NamedTuple):
    """What the kernels read, on their device."""

    first_rows: Tensor
    shares: Tensor
    integers: Tensor
    first: Tensor
    weights: Tensor
    rows: int  # of all sizes
    programs: int  # of the second kernel


@lru_cache(maxsize=32)
def _device_tables(
    h: int, w: int, sizes: tuple[tuple[int, int], ...], planes: int, device: str
) -> _Tables:
    padded = -(-h // 4) * 4
    first_rows = np.zeros((padded, len(sizes)), np.int32)
    shares = np.zeros((padded, 2, len(sizes)), np.float32)
    integers, first, weights = [], [], []
    programs = rows = place = columns = taps = 0
    for i, (height, width) in enumerate(sizes):
        down, across = scatter(h, height), gather(w, width)
        first_rows[:, i] = rows + np.pad(down.lower, (0, padded - h), "edge")
        shares[:h, :, i] = down.weights.T
        first.append(np.stack([across.first, across.count], 1))
        weights.append(across.weights.ravel())
        most = across.weights.shape[1]
        integers.append((programs, height, width, rows, place, columns, taps, most))
        programs += -(-planes * height * width // BLOCK)
        rows += height
        place += planes * height * width
        columns += width
        taps += width * most
    arrays = (
        first_rows,
        shares,
        np.array(integers, np.int64),
        np.concatenate(first).astype(np.int32),
        np.concatenate(weights).astype(np.float32),
    )
    return _Tables(*(torch.from_numpy(a).to(device) for a in arrays), rows, programs)


def forward(
    frames: Tensor,
    sizes: tuple[tuple[int, int], ...],
    lrn_size: int,
    lrn_alpha: float,
    lrn_beta: float,
) -> Tensor:
    """All sizes, one after another, flat."""
    n, channels, t, h, w = frames.shape
    planes = n * t * channels
    elements = sum(planes * height * width for height, width in sizes)
    out = frames.new_empty(elements, dtype=torch.float32)
    if elements == 0:
        return out
    tables = _device_tables(h, w, sizes, planes, str(frames.device))
    tall = frames.new_empty(planes * tables.rows * w, dtype=torch.float32)
    with device_guard(frames):
        rows_kernel[(n * t * -(-w // COLUMNS),)](
            frames,
            tables.first_rows,
            tables.shares,
            integers_ptr=tables.integers,
            tall_ptr=tall,
            **dict(zip(("sn", "sc", "st", "sh", "sw"), frames.stride(), strict=True)),
            channels=channels,
            clip=t,
            h=h,
            w=w,
            rows=tables.rows,
            factor=lrn_alpha / lrn_size,
            power=-lrn_beta,
            SIZES=len(sizes),
            CHANNELS=1 << (channels - 1).bit_length(),
            COLUMNS=COLUMNS,
            num_warps=1,
            **LAUNCH_OPTIONS,
        )
        columns_kernel[(tables.programs,)](
            tall,
            tables.first,
            tables.weights,
            integers_ptr=tables.integers,
            out_ptr=out,
            count=len(sizes),
            planes=planes,
            w=w,
            rows=tables.rows,
            BLOCK=BLOCK,
            **LAUNCH_OPTIONS,
        )
    return out
