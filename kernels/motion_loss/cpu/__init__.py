"""The motion losses on the CPU: values and the flow's gradient in one pass, in Numba.

A task is some bands of rows of pairs of frames; the tasks of all scales are in one
list. A band is walked down in steps of the SSIM stride; the warped rows of one step
and, if the gradient is wanted, their derivatives along x and y and the gradient with
respect to them stay in the scratch memory of a thread, in cache. A pixel belongs to at
most one SSIM window, so its gradient is known when the window's sums are.

Rows in scratch memory are ``pitch`` numbers long, a multiple of LANES, filled up with
zeros or, for the flow, with its last column, so that differences there are 0.

Sums over pixels are kept in float64 per lane and band, and added up in their order,
whichever thread they come from: results repeat bit by bit.
"""

import numpy as np
import torch
from torch import Tensor

from ..._common.precision import compute_dtype, numpy_type
from ..._common.sampling import flat_image
from ..._common.simd import LANES
from ..._common.threads import run_tasks
from ..options import Options
from ..reference import border_width, divisors, ssim_table
from .bands import Terms, bands_of_pairs
from .terms import MAPS, ROWS

BAND = 64  # rows of a band, rounded up to steps
TASK = 1 << 14  # pixels that are worth a task


def _tables(step: int, w: int, options: Options) -> tuple[np.ndarray, np.ndarray]:
    """The window's weights in one step, and side by side over a row, (step, pitch)."""
    window = options.ssim_window
    size = min(window, step)
    weights = np.array(ssim_table(window, options.ssim_sigma, options.ssim_center))
    table = np.zeros((step, step))
    table[:size, :size] = weights[:size, :size]
    tiled = np.zeros((step, -(-w // LANES) * LANES))
    tiled[:, :w] = table[:, np.arange(w) % step]
    return table, tiled


class _Scale:
    """The inputs, constants and results of one scale."""

    def __init__(
        self,
        inputs: tuple[Tensor, Tensor, Tensor],
        options: Options,
        dtype: torch.dtype,
        need_gradient: bool,
    ) -> None:
        self.inputs = [t.detach() for t in inputs]
        self.dtype = dtype
        self.need_gradient = need_gradient
        real = numpy_type(dtype)
        n, c, h, w = inputs[0].shape
        self.pairs = inputs[2].shape[1] // 2
        self.channels = c // self.pairs
        # the rest of a window reaches no pixel
        step = min(options.ssim_stride, max(h, w))
        self.band = -(-BAND // step) * step
        self.bands = -(-h // self.band)
        self.table, tiled = _tables(step, w, options)
        self.pitch = tiled.shape[1]
        self.tiled = tiled.astype(real).ravel()
        self.divisors = divisors(inputs[0].shape, self.pairs, options)
        self.weights = options.weights
        factors = [w / d for w, d in zip(self.weights, self.divisors, strict=True)]
        eps2 = options.epsilon**2
        photometric = options.photometric_alpha, options.photometric_beta, eps2
        smoothness = options.smoothness_alpha, options.smoothness_beta, eps2
        self.terms = Terms(
            border_width(h, w, options.border),
            real(options.flow_scale),
            tuple(real(number) for number in (*photometric, factors[0])),
            tuple(real(number) for number in (*smoothness, factors[1])),
            (options.ssim_c1, options.ssim_c2, -factors[2]),
        )
        self.windows = n * c * -(-h // step) * -(-w // step)
        shape = inputs[2].shape if need_gradient else (n, 2 * self.pairs, 0, 0)
        self.gradient = torch.empty(shape, dtype=dtype)
        self.sums = np.zeros((n, self.pairs * self.bands, 3 * LANES))
        self.scratch = MAPS * self.channels * step * self.pitch
        self.scratch += ROWS * (self.pitch + 2 * LANES)

    def tasks(self) -> list[tuple[int, int, int]]:
        """Example, first band, behind the last band; of several pairs if small."""
        n, _, h, w = self.inputs[0].shape
        total = self.pairs * self.bands
        group = max(1, TASK // (min(h, self.band) * w))
        return [
            (i, first, min(first + group, total))
            for i in range(n)
            for first in range(0, total, group)
        ]

    def _array(self, t: Tensor, i: int, first: int, stop: int) -> np.ndarray:
        # a view of contiguous maps in the type of the computation
        return t[i, first:stop].to(self.dtype).contiguous().numpy()

    def run(
        self, i: int, first: int, stop: int, scratch: np.ndarray, columns: np.ndarray
    ) -> None:
        begin, end = first // self.bands, -(-stop // self.bands)
        target, source, flow = self.inputs
        maps = begin * self.channels, end * self.channels
        bands_of_pairs(
            self._array(target, i, *maps),
            flat_image(source[i, slice(*maps)], self.dtype),
            self._array(flow, i, 2 * begin, 2 * end),
            self.gradient[i, 2 * begin : 2 * end].numpy(),
            self.need_gradient,
            self.tiled,
            self.table,
            self.band,
            first - begin * self.bands,
            self.terms,
            scratch[: self.scratch],
            columns[: 5 * self.pitch],
            self.sums[i, first:stop],
        )

    def parts(self) -> np.ndarray:
        totals = self.sums.sum((0, 1)).reshape(3, LANES).sum(1)
        totals[2] = self.windows - totals[2]
        return totals / self.divisors


def forward(
    targets: list[Tensor],
    sources: list[Tensor],
    flows: list[Tensor],
    scales: list[Options],
    need_gradient: bool,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The loss, parts of each scale, and gradients of flow, empty if not needed."""
    dtype = compute_dtype(*flows)
    inputs = zip(targets, sources, flows, strict=True)
    scales = [
        _Scale(tensors, options, dtype, need_gradient)
        for tensors, options in zip(inputs, scales, strict=True)
    ]
    tasks = [(scale, task) for scale in scales for task in scale.tasks()]
    real = numpy_type(dtype)

    def make_worker():
        scratch = np.empty(max(scale.scratch for scale in scales), dtype=real)
        columns = np.empty(max(5 * scale.pitch for scale in scales))

        def worker(number: int) -> None:
            scale, task = tasks[number]
            scale.run(*task, scratch, columns)

        return worker

    run_tasks(make_worker, len(tasks))
    parts = np.stack([scale.parts() for scale in scales])
    loss = sum(
        part @ np.array(s.weights) for s, part in zip(scales, parts, strict=True)
    )
    gradients = [
        scale.gradient if need_gradient else scale.gradient.new_empty(0)
        for scale in scales
    ]
    return (
        torch.tensor(float(loss), dtype=dtype),
        torch.from_numpy(parts).to(dtype),
        gradients,
    )
