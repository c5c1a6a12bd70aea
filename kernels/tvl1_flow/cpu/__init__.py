"""TV-L1 flow on the CPU, in Numba: a pair of frames is a task for one thread."""

import numpy as np
from torch import Tensor

from ..._common.precision import numpy_type
from ..._common.simd import WIDE
from ..._common.threads import run_tasks
from ..options import Options, level_sizes
from .iterate import Scheme, make_grid, row_of
from .pair import MAX_BLOCK, pair_flow
from .resample import MARGIN


def _zeros(size: int, dtype: type) -> np.ndarray:
    """Zeros at the start of a cache line."""
    memory = np.zeros(size + 16, dtype)
    skip = -memory.ctypes.data // memory.itemsize % (64 // memory.itemsize)
    return memory[skip : skip + size]


def _memory(h: int, w: int, dtype: type) -> tuple[np.ndarray, ...]:
    """What :func:`pair_flow` works on, for frames of h x w pixels."""
    grid = make_grid.py_func(h, w)
    two, four = (row_of.py_func(planes, h + 2, grid) for planes in (2, 4))
    return (
        *(_zeros(two, dtype) for _ in range(2)),
        *(_zeros(four, dtype) for _ in range(3)),
        _zeros((h + 2 * MARGIN) * (w + 2 * MARGIN) * 4, dtype),
        _zeros(14 * grid.pitch, dtype),
        _zeros(2 * WIDE, dtype),
        np.zeros(MAX_BLOCK),
    )


def forward(gray: Tensor, initial: Tensor | None, options: Options) -> Tensor:
    """The flow (N, 2, T - 1, H, W) of gray frames (N, T, H, W) in [0, 255].

    See :func:`flowzoo_kernels.tvl1_flow`. initial: (N, 2, T - 1, H, W) or None.
    """
    n, t, h, w = gray.shape
    dtype = numpy_type(gray.dtype)
    frames = gray.contiguous().numpy()
    flow = gray.new_empty((n, t - 1, 2, h, w))
    if initial is None:
        starts = np.empty((n, t - 1, 0, h, w), dtype)
    else:
        starts = initial.to(gray.dtype).transpose(1, 2).contiguous().numpy()
    sizes = np.array(level_sizes(h, w, options))
    bound, ratio = options.lam * options.theta, options.tau / options.theta
    scheme = Scheme(dtype(bound), dtype(options.theta), dtype(ratio))
    numbers = (
        float(options.epsilon**2),
        options.inner_iterations,
        options.outer_iterations,
        options.median,
        options.warps,
        options.interpolation == "bicubic",
        1.0 / options.scale_step,
    )
    flows = flow.numpy()

    def make_worker():
        pyramid = np.empty((2, int(sizes.prod(axis=1).sum())), dtype)
        memory = _memory(h, w, dtype)

        def worker(task: int) -> None:
            i, k = divmod(task, t - 1)
            pair_flow(
                frames[i, k : k + 2],
                starts[i, k],
                flows[i, k],
                sizes,
                scheme,
                numbers,
                pyramid,
                memory,
            )

        return worker

    run_tasks(make_worker, n * (t - 1))
    return flow.transpose(1, 2)
