"""Normalized and reduced frames on the CPU: one pass over the frames, in Numba.

A task is one frame. Its rows are normalized one after another; each is added, weighted,
to the two rows of every size in which it has a part. When a row of a size is complete,
it is reduced along x. So a frame is read once, and a thread needs memory for a few
rows only. Rows in scratch memory are ``pitch`` numbers long, a multiple of LANES.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .._common.precision import compute_dtype, numpy_type
from .._common.simd import JIT, LANES, cached_njit, vload, vsplat, vstore
from .._common.threads import run_tasks
from .._common.vector_memory import copy, vpairs
from .._common.vector_power import vpow
from .reference import all_channels_near
from .tables import gather, scatter

# Integers of a size: height, width, where its first frame, its entries of ``first`` and
# its weights along x begin, weights of a pixel, an even number.
HEIGHT, WIDTH, OUT, FIRST, WEIGHTS, TAPS = range(6)


@njit(**JIT)
def _normalize_row(frames, t, y, s, pitch, near, lrn):
    """Row y of frame t, at the start of s, (C, pitch). frames: (C, T, H, W).

    near: whether all channels are. lrn: channels looked at before and behind one,
    alpha / size, -beta.
    """
    channels, w = frames.shape[0], frames.shape[3]
    before, behind, factor, power = lrn
    one, exponent = vsplat(s.dtype.type(1)), vsplat(power)
    row = 0 if near else channels * pitch  # where it is kept until it is normalized
    for c in range(channels):
        at = ((c * frames.shape[1] + t) * frames.shape[2] + y) * w
        copy(frames, at, s, row + c * pitch, w)
    for x in range(0, pitch, LANES):
        if near:
            total = one
            for c in range(channels):
                v = vload(s, c * pitch + x)
                total = total + factor * v * v
            scale = vpow(total, exponent)
            for c in range(channels):
                vstore(s, c * pitch + x, vload(s, c * pitch + x) * scale)
            continue
        for c in range(channels):
            total = one
            for k in range(max(c - before, 0), min(c + behind + 1, channels)):
                v = vload(s, row + k * pitch + x)
                total = total + factor * v * v
            v = vload(s, row + c * pitch + x)
            vstore(s, c * pitch + x, v * vpow(total, exponent))


@njit(**JIT)
def _finish_row(s, begin, pitch, channels, y, size, first, weights, out, place):
    """Row y of one size: the rows of the channels at begin of s, reduced along x.

    first, weights: see _frame; place: where this size of the frame begins in out. LANES
    pixels are computed at once, from pairs of neighbors, in the memory at the end of s.
    """
    h, w, taps = size[HEIGHT], size[WIDTH], size[TAPS]
    line = len(s) - LANES
    for c in range(channels):
        row = begin + c * pitch
        to = place + (c * h + y) * w
        for x in range(0, w, LANES):
            k = size[WEIGHTS] + x * taps
            total = vsplat(s.dtype.type(0))
            for i in range(0, taps, 2):
                a, b = vpairs(s, row + i, first, size[FIRST] + x)
                total = total + vload(weights, k) * a
                total = total + vload(weights, k + LANES) * b
                k += 2 * LANES
            if x + LANES <= w:
                vstore(out, to + x, total)
            else:
                vstore(s, line, total)
                copy(s, line, out, to + x, w - x)


@cached_njit
def _frame(frames, t, number, near, lrn, lower, shares, sizes, first, weights, s, out):
    """Every size of one frame.

    frames: (C, T, H, W); t: which. number: of the frame in out. lower: (sizes, H);
    shares: (sizes, 2, H). sizes: (sizes, 6). first, weights: of all sizes, one
    after another, filled up to LANES pixels; weights of as many pixels side by side.
    s: scratch, 0. out: all sizes, one after another.
    """
    channels, rows = frames.shape[0], frames.shape[2]
    pitch = -(-frames.shape[3] // LANES) * LANES
    maps = channels * pitch
    for y in range(rows):
        _normalize_row(frames, t, y, s, pitch, near, lrn)
        for i in range(sizes.shape[0]):
            size = sizes[i]
            place = size[OUT] + number * channels * size[HEIGHT] * size[WIDTH]
            now = lower[i, y]
            # two sums, which take turns at being the lower one
            own = (2 + 2 * i + now % 2) * maps
            next_ = (2 + 2 * i + (now + 1) % 2) * maps
            if y > 0 and now != lower[i, y - 1]:
                _finish_row(
                    s,
                    next_,
                    pitch,
                    channels,
                    now - 1,
                    size,
                    first,
                    weights,
                    out,
                    place,
                )
                s[next_ : next_ + maps] = 0
            a, b = vsplat(shares[i, 0, y]), vsplat(shares[i, 1, y])
            for k in range(0, maps, LANES):
                v = vload(s, k)
                vstore(s, own + k, vload(s, own + k) + a * v)
                vstore(s, next_ + k, vload(s, next_ + k) + b * v)
            if y == rows - 1:
                _finish_row(
                    s,
                    own,
                    pitch,
                    channels,
                    now,
                    size,
                    first,
                    weights,
                    out,
                    place,
                )
                if now + 1 < size[HEIGHT]:
                    _finish_row(
                        s,
                        next_,
                        pitch,
                        channels,
                        now + 1,
                        size,
                        first,
                        weights,
                        out,
                        place,
                    )
                s[own : own + maps] = 0
                s[next_ : next_ + maps] = 0


def forward(
    frames: Tensor,
    sizes: Sequence[tuple[int, int]],
    lrn_size: int,
    lrn_alpha: float,
    lrn_beta: float,
) -> Tensor:
    """All sizes, one after another, flat."""
    dtype = compute_dtype(frames)
    real = numpy_type(dtype)
    n, channels, t, h, w = frames.shape
    rows = [scatter(h, height) for height, _ in sizes]
    columns = [gather(w, width) for _, width in sizes]
    firsts, weights, integers, place, first, taps = [], [], [], 0, 0, 0
    for (height, width), column in zip(sizes, columns, strict=True):
        behind, most = -width % LANES, column.weights.shape[1]
        firsts.append(np.pad(column.first, (0, behind)))
        weight = np.pad(column.weights, ((0, behind), (0, most % 2)))
        weights.append(weight.reshape(-1, LANES, weight.shape[1]).swapaxes(1, 2))
        most = weight.shape[1]
        integers.append((height, width, place, first, taps, most))
        place += n * t * channels * height * width
        first, taps = first + len(weight), taps + weight.size
    near = all_channels_near(channels, lrn_size)
    before, behind = lrn_size // 2, (lrn_size - 1) // 2
    most_taps = max(numbers[TAPS] for numbers in integers)
    tables = (
        np.stack([row.lower for row in rows]),
        np.stack([row.weights for row in rows]).astype(real),
        np.array(integers),
        np.concatenate(firsts).astype(np.uint32),
        np.concatenate([weight.ravel() for weight in weights]).astype(real),
    )
    lrn = before, behind, real(lrn_alpha / lrn_size), real(-lrn_beta)
    pitch = -(-w // LANES) * LANES
    out = torch.empty(place, dtype=dtype)
    flat = out.numpy()
    whole = frames.detach()
    if whole.dtype != dtype or not whole.is_contiguous():
        whole = None  # each frame is converted when its turn comes

    def make_worker():
        # a last pixel has weights, of 0, behind its row
        size = (2 + 2 * len(sizes)) * channels * pitch + most_taps + LANES
        scratch = np.zeros(size, dtype=real)

        def worker(task: int) -> None:
            i, j = divmod(task, t)
            if whole is not None:
                clip = whole[i].numpy()
            else:
                clip = frames.detach()[i, :, j : j + 1].to(dtype).contiguous().numpy()
                j = 0
            _frame(clip, j, task, near, lrn, *tables, scratch, flat)

        return worker

    run_tasks(make_worker, n * t)
    return out
