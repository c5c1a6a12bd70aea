"""Representation flow on GPUs: launch of the Triton kernels.

The kernels are in forward.py and backward.py, how they tile the maps in tiling.py.
"""

import functools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..._common import launch
from ..recompute_schedule import ADVANCE, schedule
from . import tiling
from .backward import backward_kernel
from .constants import Constants
from .forward import forward_kernel
from .parameter_gradients import parameter_gradients
from .tiling import Tiling

SUMS = 64  # room for all sums of a program, a power of two
# Memory for the states between launches; more clips are worked on one after another.
STATE_BYTES = 2 << 30
# States kept between launches of the backward pass at most; see recompute_schedule.py.
STATES = 12


NAMES = "image_ptr", "flow_ptr", "div_ptr", "theta_ptr", "lam_ptr", "tau_ptr"


def _parameter_arguments(parameters: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """The three kernels, theta, lam and tau, contiguous."""
    return {n: p.contiguous() for n, p in zip(NAMES, parameters, strict=True)}


def _strides(prefix: str, tensor: Tensor) -> dict[str, int]:
    """The arguments of a kernel that are the strides of a tensor."""
    axes = zip("ncthw", tensor.stride(), strict=True)
    return {f"{prefix}stride_{axis}": stride for axis, stride in axes}


def _split_clips(x: Tensor, numbers: int) -> Iterator[slice]:
    """Clips that have room for so many float32 numbers for each pixel of a pair."""
    n, c, t, h, w = x.shape
    clips = STATE_BYTES // max(1, 4 * numbers * c * (t - 1) * h * w)
    clips = min(n, max(1, clips))
    return (slice(begin, begin + clips) for begin in range(0, n, clips))


def _new_fields(x: Tensor, *lead: int) -> Tensor:
    """Room for fields of the pairs of x, float32."""
    n, c, t, h, w = x.shape
    shape = (*lead, n * c * (t - 1), h, w)
    return torch.empty(shape, dtype=torch.float32, device=x.device)


def forward(
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    initial_flow: None,
    n_iters: int,
    variant: str,
) -> Tensor:
    """See :func:`flowzoo_kernels.representation_flow`; takes no initial flow."""
    parameters = image_kernel, flow_kernel, div_kernel, theta, lam, tau
    n, c, t, h, w = x.shape
    out = x.new_empty((n, 2 * c, t - 1, h, w))
    if n == 0:
        return out
    arguments = _parameter_arguments(parameters)
    with launch.device_guard(x):
        plan = plan_forward(x, n_iters, variant == "paper")
        several = plan.iterations < n_iters
        for clips in _split_clips(x, 2 * 6 if several else 0):
            part, target = x[clips], out[clips]
            # The state between launches, or no memory at all.
            old, new = _new_fields(part, 2, 6) if several else (out, out)
            for begin in range(0, n_iters, plan.iterations):
                count = min(plan.iterations, n_iters - begin)
                edges = {"FIRST": begin == 0, "LAST": begin + count == n_iters}
                _launch_forward(
                    part, target, arguments, old, new, variant, plan, count, edges
                )
                old, new = new, old
    return out


def plan_forward(x: Tensor, n_iters: int, paper: bool) -> Tiling:
    n, c, t, h, w = x.shape
    shape = tiling.fit_whole_maps(h, w, n * (t - 1), tiling.FORWARD)
    if shape is not None:
        return tiling.whole_maps(shape, n_iters)
    tile, cost = tiling.FORWARD_TILE, tiling.FORWARD_COST[paper]
    maps, most = n * c * (t - 1), tiling.MOST_ITERATIONS
    return tiling.plan_tiling(h, w, maps, n_iters, tile, cost, most)


def _launch_forward(
    x: Tensor,
    out: Tensor,
    arguments: dict[str, Tensor],
    old: Tensor,
    new: Tensor,
    variant: str,
    plan: Tiling,
    n_iters: int,
    edges: dict[str, bool],
) -> None:
    n, c, t, h, w = x.shape
    pairs = n * (t - 1)
    groups = math.ceil(pairs / plan.shape.maps_per_program)
    grid = (c * groups * plan.down * plan.across,)
    trained = arguments["flow_ptr"].requires_grad
    for sobel in _sobel_flags(variant, trained):
        forward_kernel[grid](
            x_ptr=x,
            **_strides("", x),
            out_ptr=out,
            **arguments,
            old_ptr=old,
            new_ptr=new,
            map_stride=pairs * c * h * w,
            pairs=pairs,
            pairs_per_clip=t - 1,
            channels=c,
            h=h,
            w=w,
            n_iters=n_iters,
            maps_per_program=plan.shape.maps_per_program,
            halo_before=plan.halo_before,
            halo_after=plan.halo_after,
            tiles_x=plan.across,
            K=constants(plan, variant, sobel, not trained),
            **edges,
            **options(plan, warp_size(x)),
        )


def warp_size(tensor: Tensor) -> int:
    """Threads of a warp; where there are 64, it holds two rows of patches."""
    if torch.version.hip and tensor.is_cuda:  # CDNA has 64, RDNA 32
        return torch.cuda.get_device_properties(tensor.device).warp_size
    return 32


def _sobel_flags(variant: str, trained: bool) -> tuple[bool, ...]:
    """For which kinds of flow kernels to launch.

    Those that are trained are Sobel filters for one step at most. For others only the
    GPU knows, and asking it would mean to wait.
    """
    return (True, False) if variant == "paper" and not trained else (False,)


@functools.cache
def constants(
    plan: Tiling, variant: str, sobel: bool, one_of_two: bool = True
) -> Constants:
    """What both kernels are compiled for."""
    shape = plan.shape
    return Constants(
        GROUPS=shape.GROUPS,
        ROWS=shape.ROWS,
        COLS=shape.COLS,
        TALL=shape.TALL,
        EXACT=shape.EXACT,
        TILED=plan.halo_before > 0,
        PAPER=variant == "paper",
        SOBEL=sobel,
        ONE_OF_TWO=variant == "paper" and one_of_two,
    )


def options(plan: Tiling, warp_size: int = 32) -> dict[str, int | bool]:
    """How Triton compiles both kernels.

    Fused multiply-adds are asked for whatever a version's default: without, the loops
    have 37 to 51 % more instructions.
    """
    num_warps = max(1, plan.shape.GROUPS * tiling.LANES // warp_size)
    return {"num_warps": num_warps, "enable_fp_fusion": True}


def backward(
    grad: Tensor,
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    initial_flow: None,
    n_iters: int,
    variant: str,
    needs: list[bool],
) -> tuple[Tensor, ...]:
    """Gradients of the first eight arguments of the operator, in their types.

    Those that ``needs`` does not ask for are empty.
    """
    parameters = image_kernel, flow_kernel, div_kernel, theta, lam, tau
    need_x, *wanted, _ = needs
    x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
    no_initial_grad = x.new_empty(0, dtype=torch.float32)
    if len(x) == 0:
        each = zip(parameters, wanted, strict=True)
        grads = [p.new_zeros(p.shape if need else 0) for p, need in each]
        return x_grad, *grads, no_initial_grad
    arguments = _parameter_arguments(parameters)
    sums = None
    with launch.device_guard(x):
        plan, recompute_plan = plan_backward(x, n_iters, variant == "paper")
        launches = math.ceil(n_iters / plan.iterations)
        numbers = 6 * min(STATES, launches) + 2 * 6 + 3 if launches > 1 else 0
        for clips in _split_clips(x, numbers):
            part = grad[clips], x[clips], x_grad[clips] if need_x else x_grad
            back = _Backward(*part, arguments, n_iters, variant, needs, plan)
            back.run(recompute_plan)
            if any(wanted):
                more = back.sums.sum(1, dtype=torch.float64)
                sums = more if sums is None else sums + more
        grads = parameter_gradients(sums, arguments, variant, wanted)
        return x_grad, *grads, no_initial_grad


def plan_backward(x: Tensor, n_iters: int, paper: bool) -> tuple[Tiling, Tiling]:
    """For the way back, and for the states that its launches begin with."""
    n, c, t, h, w = x.shape
    shape = tiling.fit_whole_maps(h, w, n * (t // 2), tiling.BACKWARD)
    if shape is not None:
        plan = tiling.whole_maps(shape, n_iters)
        return plan, plan
    tile, cost = tiling.BACKWARD_TILE, tiling.BACKWARD_COST[paper]
    maps, most = n * c * (t - 1), tiling.MOST_ITERATIONS
    plan = tiling.plan_tiling(h, w, maps, n_iters, tile, cost, most)
    shape = tiling.fit_whole_maps(h, w, n * (t - 1), tiling.FORWARD)
    if shape is not None:
        return plan, tiling.whole_maps(shape, plan.iterations)
    tile, cost = tiling.FORWARD_TILE, tiling.FORWARD_COST[paper]
    return plan, tiling.tile(h, w, tile, plan.iterations, cost)


def segments_of(n_iters: int) -> tuple[int, int]:
    """Iterations whose states are kept at a time, and how many such segments."""
    segment = math.ceil(math.sqrt(n_iters))
    return segment, math.ceil(n_iters / segment)


class _Backward:
    """The launches of the backward pass on some clips."""

    def __init__(
        self,
        grad: Tensor,
        x: Tensor,
        x_grad: Tensor,
        arguments: dict[str, Tensor],
        n_iters: int,
        variant: str,
        needs: list[bool],
        plan: Tiling,
    ) -> None:
        self.grad, self.x, self.x_grad = grad, x, x_grad
        self.arguments, self.n_iters, self.variant = arguments, n_iters, variant
        self.needs, self.plan = needs, plan
        self.launches = math.ceil(n_iters / plan.iterations)
        if plan.halo_before == 0:
            self.segments = segments_of(n_iters)
        else:
            self.segments = plan.iterations + 1, 1
        # A program's states lie in global memory, and mostly in its cache: programs
        # that take one task after another bound them, whatever the batch. Registers let
        # eight warps run on a multiprocessor.
        shape, t = plan.shape, x.shape[2]
        resident = max(1, 8 // shape.GROUPS) * launch.sm_count(x)
        pairs_per_clip = t - 1 if self.launches > 1 else t // 2
        self.programs = min(self._tasks(pairs_per_clip), resident)
        size = 6 * math.ceil(shape.ROWS * shape.COLS / 4) * shape.GROUPS * 128
        options = {"dtype": torch.float32, "device": x.device}
        self.workspace = torch.empty(
            (self.programs, sum(self.segments), size), **options
        )
        # Frames' gradients, which the last launch writes, need no second buffer: pairs
        # 0, 2, 4 ... share no frame, nor do the others, and each of its two parts adds
        # to what the one before has written.
        every = [(0, 1)] if self.launches > 1 else []
        self.first_sums, rows = {}, 0  # of each part, among a channel's
        for first_pair, pair_step in [(0, 2), (1, 2), *every]:
            if pairs_per_clip := len(range(first_pair, t - 1, pair_step)):
                self.first_sums[first_pair, pair_step] = rows
                rows += self._tasks(pairs_per_clip) // x.shape[1]
        self.sums = torch.zeros((x.shape[1], rows, SUMS), **options)

    def _tasks(self, pairs_per_clip: int) -> int:
        n, c = self.x.shape[:2]
        groups = math.ceil(n * pairs_per_clip / self.plan.shape.maps_per_program)
        return c * groups * self.plan.down * self.plan.across

    def run(self, recompute_plan: Tiling) -> None:
        """Fill x_grad and the sums, (C, one row for each task, SUMS).

        recompute_plan: how launches that only compute states tile the maps.
        """
        x = self.x
        states, old, new, coeff_grads = (
            [self.workspace],
            self.workspace,
            self.workspace,
            self.workspace,
        )
        if self.launches > 1:  # otherwise, none of these is used
            states = list(_new_fields(x, min(STATES, self.launches), 6))
            old, new = _new_fields(x, 2, 6)
            coeff_grads = _new_fields(x, 3)
        # State 0 is not stored: its slot is room for the next one. Nor is the state
        # after a launch back, which computes it again.
        for index, slot, target in schedule(self.launches, STATES):
            if index == ADVANCE:
                edges = {"FIRST": slot == 0, "LAST": False}
                fields = states[slot], states[0]
                arguments = x, x, self.arguments, *fields, self.variant, recompute_plan
                _launch_forward(*arguments, self.plan.iterations, edges)
                states[0], states[target] = states[target], states[0]
            else:
                self._launch(index, states[slot], old, new, coeff_grads)
                old, new = new, old

    def _launch(
        self, index: int, state: Tensor, old: Tensor, new: Tensor, coeff_grads: Tensor
    ) -> None:
        """Back over the iterations of one launch, or of all."""
        plan, x = self.plan, self.x
        need_x, need_image, need_flow, need_div, need_theta, *_ = self.needs
        n, c, t, h, w = x.shape
        for (first_pair, pair_step), first_sums in self.first_sums.items():
            if (pair_step == 2) != (index == 0):
                continue
            pairs_per_clip = len(range(first_pair, t - 1, pair_step))
            tasks = self._tasks(pairs_per_clip)
            for sobel in _sobel_flags(self.variant, need_flow):
                backward_kernel[(min(tasks, self.programs),)](
                    grad_ptr=self.grad,
                    **_strides("grad_", self.grad),
                    x_ptr=x,
                    **_strides("", x),
                    x_grad_ptr=self.x_grad,
                    **_strides("x_grad_", self.x_grad if need_x else x),
                    **self.arguments,
                    workspace_ptr=self.workspace,
                    sums_ptr=self.sums,
                    channel_sums=self.sums.shape[1],
                    first_sums=first_sums,
                    state_ptr=state,
                    old_ptr=old,
                    new_ptr=new,
                    coeff_grads_ptr=coeff_grads,
                    map_stride=n * c * (t - 1) * h * w,
                    first_pair=first_pair,
                    pair_step=pair_step,
                    pairs=n * pairs_per_clip,
                    pairs_per_clip=pairs_per_clip,
                    frames=t,
                    channels=c,
                    h=h,
                    w=w,
                    n_iters=min(
                        plan.iterations, self.n_iters - index * plan.iterations
                    ),
                    segment=self.segments[0],
                    segments=self.segments[1],
                    maps_per_program=plan.shape.maps_per_program,
                    halo_before=plan.halo_before,
                    halo_after=plan.halo_after,
                    tiles=plan.down * plan.across,
                    tiles_x=plan.across,
                    K=constants(plan, self.variant, sobel, not need_flow),
                    FIRST=index == 0,
                    LAST=index == self.launches - 1,
                    NEED_X=need_x,
                    NEED_IMAGE=need_image,
                    NEED_FLOW=need_flow,
                    NEED_DIV=need_div or need_theta,
                    SUMS=SUMS,
                    **options(plan, warp_size(x)),
                )
