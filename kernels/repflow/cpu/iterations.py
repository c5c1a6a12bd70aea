"""Iterations between given states on the CPU: launch and kernels.

As forward.py and backward.py, but rho and the image gradient are given, and the state
before the iterations; the whole state after them is the result. Tensors of fields are
(fields, P, H, W), a lane is one of P maps. s, w, i: see layout.py.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from ..._common.simd import JIT, LANES, cached_njit, vload, vstore
from ..._common.threads import run_tasks
from ..parameter_gradients import parameter_gradients
from ..recompute_schedule import schedule
from ..reference import EPS
from . import kept_states, prepare, scratch_planes, storage
from .forward import FORWARD_PLANES, STATE, grid_of, iterate
from .iteration_backward import (
    P11,
    RHO_GRAD,
    STATES,
    SUM_FLOW,
    U1_OLD,
    iterate_backward,
)
from .layout import (
    FLOW_TAPS,
    GX,
    GY,
    NEG_INV_G2,
    RHO,
    STATE_PLANES,
    pack,
    row,
    unpack_lane,
)

VARIANT = "tvl1"


@njit(**JIT)
def _pack(s, to, source, lanes, first, count, grid):
    """Copy fields first to first + count - 1 of all lanes' maps to planes at to."""
    for k in range(count):
        at = to + k * grid.plane
        pack(s, at, source[0], source[1], lanes, first + k, 0, 1, grid)


@njit(**JIT)
def _unpack(s, at, target, lanes, first, count, grid):
    """The inverse of _pack."""
    for lane in range(LANES):
        n, _, _, frames = lanes[lane]
        if frames > 0:
            for k in range(count):
                plane = at + k * grid.plane
                to = first + k
                unpack_lane(s, plane, target[0], target[1], lane, n, to, 0, grid)


@njit(**JIT)
def _pack_inputs(s, state, linearized, at, lanes, grid):
    """Copy the first state to ``at``, and what no iteration changes to its planes."""
    one, eps, plane = s.dtype.type(1), s.dtype.type(EPS), grid.plane
    _pack(s, at, state, lanes, 0, STATE_PLANES, grid)
    _pack(s, RHO * plane, linearized, lanes, 0, 1, grid)
    _pack(s, GX * plane, linearized, lanes, 1, 1, grid)
    _pack(s, GY * plane, linearized, lanes, 2, 1, grid)
    for y in range(grid.h):
        start, end = row(grid, y)
        for i in range(start, end, LANES):
            gx, gy = vload(s, GX * plane + i), vload(s, GY * plane + i)
            vstore(s, NEG_INV_G2 * plane + i, -one / (gx * gx + gy * gy + eps))


@cached_njit
def forward_group(state, linearized, out, lanes, w, scheme, size, n_iters, s):
    """The maps of one group of lanes.

    state, linearized, out: storage and strides of (P, fields, 1, H, W). lanes: (LANES,
    4), rows map, 0, 0, 2 (0 for a lane without work). w: weights. size: H, W. s:
    scratch memory of FORWARD_PLANES, all 0 before its first use.
    """
    grid = grid_of(size[0], size[1])
    at = STATE * grid.plane
    _pack_inputs(s, state, linearized, at, lanes, grid)
    yes = np.bool_(True)  # Numba compiles anew for each literal
    for _ in range(n_iters):
        iterate(s, w, at, at, grid, scheme, yes)
    _unpack(s, at, out, lanes, 0, STATE_PLANES, grid)


@cached_njit
def backward_group(
    grad,
    state,
    linearized,
    state_grad,
    linearized_grad,
    lanes,
    w,
    scheme,
    size,
    steps,
    needs,
    sums,
    s,
):
    """Gradients of one group of lanes; see forward_group.

    grad: of the result. steps: of recompute_schedule.py. needs: as in backward.py.
    """
    grid = grid_of(size[0], size[1])
    plane = grid.plane
    states, length = STATES * plane, STATE_PLANES * plane
    _pack_inputs(s, state, linearized, states, lanes, grid)
    _pack(s, U1_OLD * plane, grad, lanes, 0, 2, grid)
    _pack(s, P11 * plane, grad, lanes, 2, 4, grid)
    s[RHO_GRAD * plane : (RHO_GRAD + 3) * plane] = 0
    yes, no = np.bool_(True), np.bool_(False)
    for k in range(len(steps)):
        iteration, a, b = steps[k]
        old, new = states + a * length, states + b * length
        if iteration < 0:
            iterate(s, w, old, new, grid, scheme, yes)
        else:
            iterate_backward(s, w, old, new, grid, scheme, no, no, needs, sums)
    _unpack(s, U1_OLD * plane, state_grad, lanes, 0, 2, grid)
    _unpack(s, P11 * plane, state_grad, lanes, 2, 4, grid)
    _unpack(s, RHO_GRAD * plane, linearized_grad, lanes, 0, 3, grid)


def _clips(fields: Tensor) -> Tensor:
    """(fields, P, H, W) as (P, fields, 1, H, W), the clips that the kernels read."""
    return fields.transpose(0, 1).unsqueeze(2)


def _all_parameters(parameters: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """With an image kernel in front, which has no taps."""
    return parameters[0].new_empty(1, 0), *parameters


def forward(state: Tensor, linearized: Tensor, *arguments: Tensor | int) -> Tensor:
    """See :func:`..iterations_op.iterations`."""
    *parameters, n_iters = arguments
    out = torch.empty_like(state)
    if out.numel() == 0:
        return out
    h, w = state.shape[2:]
    pairs = _clips(linearized)[:, :1].expand(-1, -1, 2, -1, -1)
    lanes, _, table, scheme = prepare(pairs, _all_parameters(parameters), VARIANT)
    storages = [storage(_clips(v)) for v in (state, linearized, out)]

    def make_worker():
        scratch = scratch_planes(table.dtype, FORWARD_PLANES, h, w)

        def worker(g: int) -> None:
            forward_group(
                *storages, lanes[g], table[g], scheme, (h, w), n_iters, scratch
            )

        return worker

    run_tasks(make_worker, len(lanes))
    return out


def backward(
    grad: Tensor, state: Tensor, linearized: Tensor, *arguments: Tensor | int | list
) -> tuple[Tensor, ...]:
    """Gradients of all tensors; those of parameters empty where not needed."""
    *parameters, n_iters, needs = arguments
    _, need_maps, need_flow, need_div, need_theta, *_ = needs
    h, w = state.shape[2:]
    parameters = _all_parameters(parameters)
    grads = torch.empty_like(state), torch.empty_like(linearized)
    sums = np.zeros((1, SUM_FLOW + FLOW_TAPS[VARIANT]))
    if state.numel() > 0:
        pairs = _clips(linearized)[:, :1].expand(-1, -1, 2, -1, -1)
        lanes, _, table, scheme = prepare(pairs, parameters, VARIANT)
        tensors = grad, state, linearized, *grads
        storages = [storage(_clips(v)) for v in tensors]
        sums = np.zeros((len(lanes), sums.shape[1], LANES))
        flat_sums = sums.reshape(len(lanes), -1)
        states = kept_states(table.dtype, h, w)
        # One more: its way back is left out, and so its first state is computed.
        steps = schedule(n_iters + 1, states)
        steps = np.array([step for step in steps if step[0] != n_iters])
        flags = False, need_maps, need_flow, need_div or need_theta, False

        def make_worker():
            planes = STATES + states * STATE_PLANES
            scratch = scratch_planes(table.dtype, planes, h, w)

            def worker(g: int) -> None:
                backward_group(
                    *storages,
                    lanes[g],
                    table[g],
                    scheme,
                    (h, w),
                    steps,
                    flags,
                    flat_sums[g],
                    scratch,
                )

            return worker

        run_tasks(make_worker, len(lanes))
        sums = sums.sum((0, 2))[None]
    # As parameter_gradients counts: x and the image kernel come first.
    wanted = [False, False, *needs[2:]]
    kernels, scalars = parameters[:3], parameters[3:]
    _, *rest = parameter_gradients(
        torch.from_numpy(sums), kernels, scalars, VARIANT, wanted
    )
    return *grads, *rest
