"""Representation flow on the CPU: launch of the fused forward and backward passes.

The kernels are in forward.py and backward.py, the layout of their memory in
layout.py.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..._common.precision import compute_dtype, numpy_type
from ..._common.simd import LANES
from ..._common.threads import run_tasks
from ..parameter_gradients import parameter_gradients
from ..recompute_schedule import schedule
from ..reference import default_kernels
from .backward import backward_group
from .forward import FORWARD_PLANES, forward_group
from .iteration_backward import STATES, SUM_FLOW
from .layout import FLOW_TAPS, IMAGE_TAPS, STATE_PLANES, Scheme, make_grid

# Memory for the states that one thread keeps in the backward pass, whatever the number
# of iterations: enough for 20 iterations of maps of 14 x 14.
STATE_BYTES = 1 << 20
# States that are kept where maps are so large that fewer would fit: the backward pass
# of 20 iterations then computes 31 forward, not 19.
MIN_STATES = 9


def storage(t: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The memory from t's first element to its last, one-dimensional, and strides."""
    t = t.detach()
    if t.numel() == 0:  # never touched, but the kernel wants the type
        t = t.new_empty((1,) * t.ndim)
    strides = t.stride()
    span = 1 + sum((n - 1) * k for n, k in zip(t.shape, strides, strict=True))
    flat = torch.as_strided(t, (span,), (1,)).numpy()
    return flat, np.array(strides, dtype=np.int64)


def _lanes(n: int, channels: int, pairs: int) -> tuple[np.ndarray, int]:
    """What each lane works on, (groups, LANES, 4), and the pairs per lane.

    Rows: clip, channel, first frame, frames (0 where there is no work). The frames of
    a clip are cut into chunks only where there are too few clips and channels.
    """
    wanted = 4 * torch.get_num_threads() * LANES
    chunks = min(pairs, math.ceil(wanted / max(1, n * channels)))
    per_lane = math.ceil(pairs / chunks)
    chunks = math.ceil(pairs / per_lane)
    count = n * channels * chunks
    groups = math.ceil(count / LANES)
    lanes = np.zeros((groups * LANES, 4), dtype=np.int64)
    index = np.arange(count)
    lanes[:count, 0] = index // (chunks * channels)
    lanes[:count, 1] = index // chunks % channels
    first = index % chunks * per_lane
    lanes[:count, 2] = first
    lanes[:count, 3] = np.minimum(per_lane, pairs - first) + 1
    return lanes.reshape(groups, LANES, 4), per_lane


def _weights(
    kernels: list[np.ndarray], theta: float, lanes: np.ndarray, variant: str
) -> np.ndarray:
    """The weight table of each group, (groups, rows, LANES): theta * div, flow, image.

    Rows of tvl1's kernels depend on the lane's channel.
    """
    image, flow, div = kernels
    groups = lanes.shape[0]
    if variant == "paper":
        table = np.concatenate([theta * div.ravel(), flow.ravel(), image.ravel()])
        table = np.broadcast_to(table[None, :, None], (groups, table.size, LANES))
    else:
        channels = div.shape[0]
        parts = (theta * div, flow, image)
        table = np.concatenate([p.reshape(channels, -1) for p in parts], axis=1)
        table = table[lanes[:, :, 1]].transpose(0, 2, 1)
    return np.ascontiguousarray(table).reshape(groups, -1)


def scratch_planes(dtype: np.dtype, planes: int, h: int, w: int) -> np.ndarray:
    """Zeros for so many planes, at the start of a cache line."""
    size = planes * make_grid(h, w).plane
    memory = np.empty(size + 16, dtype=dtype)
    skip = -memory.ctypes.data // dtype.itemsize % (64 // dtype.itemsize)
    scratch = memory[skip : skip + size]
    scratch[:] = 0
    return scratch


def kept_states(dtype: np.dtype, h: int, w: int) -> int:
    """How many states a thread keeps in the backward pass."""
    state_bytes = STATE_PLANES * make_grid(h, w).plane * dtype.itemsize
    return max(MIN_STATES, STATE_BYTES // state_bytes)


def prepare(
    x: Tensor, parameters: Sequence[Tensor], variant: str
) -> tuple[np.ndarray, int, np.ndarray, Scheme]:
    """Work of each lane, pairs per lane, weights of each group, and the scheme."""
    dtype = np.dtype(numpy_type(compute_dtype(x)))
    n, c, t = x.shape[:3]
    lanes, per_lane = _lanes(n, c, t - 1)
    kernels = [k.detach().to(torch.float64).numpy() for k in parameters[:3]]
    theta, lam, tau = (float(v.detach()) for v in parameters[3:6])
    table = _weights(kernels, theta, lanes, variant).astype(dtype)
    bound, step = dtype.type(lam * theta), dtype.type(tau / theta)
    paper = variant == "paper"
    sobel = paper and np.array_equal(kernels[1], default_kernels("paper", c)[1])
    return lanes, per_lane, table, Scheme(bound, step, paper, sobel)


def _initial(flow: Tensor | None, x: Tensor) -> Tensor:
    """The initial flow as the kernels take it; without elements if there is none."""
    return x[:0] if flow is None else flow.to(compute_dtype(x)).contiguous()


def forward(x: Tensor, *arguments: Tensor | int | str | None) -> Tensor:
    """See :func:`flowzoo_kernels.representation_flow`, whose arguments these are."""
    state = compute_dtype(x)
    if x.dtype != state:  # one more copy is cheaper than one more kernel
        return forward(x.to(state), *arguments).to(x.dtype)
    *parameters, initial_flow, n_iters, variant = arguments
    n, c, t, h, w = x.shape
    out = x.new_empty((n, 2 * c, t - 1, h, w))
    if n == 0:
        return out
    lanes, _, table, scheme = prepare(x, parameters, variant)
    storages = [storage(v) for v in (x, out, _initial(initial_flow, x))]

    def make_worker():
        scratch = scratch_planes(table.dtype, FORWARD_PLANES, h, w)

        def worker(g: int) -> None:
            forward_group(
                *storages, lanes[g], table[g], scheme, (c, h, w), n_iters, scratch
            )

        return worker

    run_tasks(make_worker, len(lanes))
    return out


def backward(
    grad: Tensor, x: Tensor, *arguments: Tensor | int | str | list[bool]
) -> tuple[Tensor, ...]:
    """Gradients of the operator's tensors, in their types.

    Those that ``needs``, the last argument, does not ask for are empty.
    """
    state = compute_dtype(x)
    if x.dtype != state:
        wide = torch.empty_like(x, dtype=state).copy_(x)  # with the strides of x
        x_grad, *rest = backward(grad.to(state), wide, *arguments)
        return x_grad.to(x.dtype), *rest
    *parameters, initial_flow, n_iters, variant, needs = arguments
    need_x, need_image, need_flow, need_div, need_theta = needs[:5]
    n, c, t, h, w = x.shape
    x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
    rows = SUM_FLOW + FLOW_TAPS[variant] + IMAGE_TAPS[variant]
    kernels, scalars = parameters[:3], parameters[3:]
    initial_grad = x.new_empty(grad.shape if needs[7] else 0)
    initial_type = initial_flow.dtype if needs[7] else torch.float32
    if n == 0:
        sums = torch.zeros((c, rows), dtype=torch.float64)
        grads = parameter_gradients(sums, kernels, scalars, variant, needs)
        return x_grad, *grads, initial_grad.to(initial_type)

    lanes, per_lane, table, scheme = prepare(x, parameters, variant)
    chunks = math.ceil((t - 1) / per_lane)
    seam = x.new_empty((n, c, chunks - 1 if need_x else 0, h, w))
    tensors = grad, x, _initial(initial_flow, x), x_grad if need_x else x[:0]
    storages = [storage(v) for v in (*tensors, initial_grad, seam)]
    sums = np.zeros((len(lanes), rows, LANES))
    flat_sums = sums.reshape(len(lanes), -1)
    states = kept_states(table.dtype, h, w)
    steps = np.array(schedule(n_iters, states))
    flags = need_x, need_x or need_image, need_flow, need_div or need_theta, need_image

    def make_worker():
        scratch = scratch_planes(table.dtype, STATES + states * STATE_PLANES, h, w)

        def worker(g: int) -> None:
            backward_group(
                *storages,
                lanes[g],
                table[g],
                scheme,
                (c, h, w, per_lane),
                steps,
                flags,
                flat_sums[g],
                scratch,
            )

        return worker

    run_tasks(make_worker, len(lanes))
    if need_x and chunks > 1:
        x_grad[:, :, per_lane : per_lane * chunks : per_lane] += seam
    per_lane_sums = sums.transpose(0, 2, 1).reshape(-1, rows)[: n * c * chunks]
    per_channel = per_lane_sums.reshape(n, c, chunks, rows).sum(axis=(0, 2))
    per_channel = torch.from_numpy(per_channel)
    grads = parameter_gradients(per_channel, kernels, scalars, variant, needs)
    return x_grad, *grads, initial_grad.to(initial_type)
