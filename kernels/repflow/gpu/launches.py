"""Launches of the Triton kernels of representation flow, forward and backward.

The kernels are in forward.py and backward.py, how they tile the maps in tiling.py.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..._common import launch
from ..._common.compile_together import Launch
from ..recompute_schedule import ADVANCE, schedule
from .backward import backward_kernel
from .constants import constants, options, sobel_flags, warp_size
from .forward import forward_kernel
from .tiling import Tiling, segments_of

SUMS = 64  # room for all sums of a program, a power of two
# States kept between launches of the backward pass at most; see recompute_schedule.py.
STATES = 12
NAMES = "image_ptr", "flow_ptr", "div_ptr", "theta_ptr", "lam_ptr", "tau_ptr"


def parameter_arguments(parameters: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """The three kernels, theta, lam and tau, contiguous."""
    return {n: p.contiguous() for n, p in zip(NAMES, parameters, strict=True)}


def _strides(prefix: str, tensor: Tensor) -> dict[str, int]:
    """The arguments of a kernel that are the strides of a tensor."""
    axes = zip("ncthw", tensor.stride(), strict=True)
    return {f"{prefix}stride_{axis}": stride for axis, stride in axes}


def new_fields(x: Tensor, *lead: int) -> Tensor:
    """Room for fields of the pairs of x, float32."""
    n, c, t, h, w = x.shape
    shape = (*lead, n * c * (t - 1), h, w)
    return torch.empty(shape, dtype=torch.float32, device=x.device)


def iteration_launches(
    x: Tensor,
    out: Tensor,
    arguments: dict[str, Tensor],
    old: Tensor,
    new: Tensor,
    variant: str,
    plan: Tiling,
    n_iters: int,
    first: bool,
    last: bool,
    initial: Tensor | None,
) -> Iterator[Launch]:
    """Some iterations, from state old, or initial flow, to state new, or out."""
    n, c, t, h, w = x.shape
    pairs = n * (t - 1)
    groups = math.ceil(pairs / plan.shape.maps_per_program)
    grid = (c * groups * plan.down * plan.across,)
    trained = arguments["flow_ptr"].requires_grad
    for sobel in sobel_flags(variant, trained):
        arguments_of_kind = dict(
            x_ptr=x,
            **_strides("", x),
            out_ptr=out,
            **arguments,
            old_ptr=None if first and last else old,
            new_ptr=new,
            initial_ptr=initial,
            map_stride=pairs * c * h * w,
            pairs=pairs,
            pairs_per_clip=t - 1,
            channels=c,
            h=h,
            w=w,
            first=int(first),
            n_iters=n_iters,
            maps_per_program=plan.shape.maps_per_program,
            halo_before=plan.halo_before,
            halo_after=plan.halo_after,
            tiles_x=plan.across,
            K=constants(plan, variant, sobel, not trained),
            LAST=last,
            **options(plan, warp_size(x)),
        )
        yield Launch(forward_kernel, grid, arguments_of_kind)


def forward_launches(
    x: Tensor,
    out: Tensor,
    arguments: dict[str, Tensor],
    initial: Tensor | None,
    n_iters: int,
    variant: str,
    plan: Tiling,
) -> Iterator[Launch]:
    """All iterations, from zero or the initial flow to out."""
    # The state between launches, or no memory at all.
    several = plan.iterations < n_iters
    old, new = new_fields(x, 2, 6) if several else (out, out)
    for begin in range(0, n_iters, plan.iterations):
        count = min(plan.iterations, n_iters - begin)
        first, last = begin == 0, begin + count == n_iters
        fields = x, out, arguments, old, new
        yield from iteration_launches(
            *fields, variant, plan, count, first, last, initial
        )
        old, new = new, old


class Backward:
    """The launches of the backward pass on some clips."""

    def __init__(
        self,
        x: Tensor,
        arguments: dict[str, Tensor],
        n_iters: int,
        variant: str,
        needs: dict[str, bool],
        plan: Tiling,
        initial: Tensor | None,
    ) -> None:
        """needs: the backward kernel's NEED_X and so on; initial: flow, contiguous."""
        self.x, self.arguments = x, arguments
        self.n_iters, self.variant = n_iters, variant
        self.needs, self.plan, self.initial = needs, plan, initial
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
        several = self.launches > 1
        self.programs = min(self._tasks(t - 1 if several else t // 2), resident)
        size = 6 * math.ceil(shape.ROWS * shape.COLS / 4) * shape.GROUPS * 128
        options = {"dtype": torch.float32, "device": x.device}
        self.workspace = torch.empty(
            (self.programs, sum(self.segments), size), **options
        )
        # Frames' gradients, which the last launch writes, need no second buffer: pairs
        # 0, 2, 4 ... share no frame, nor do the others, and each of its two parts adds
        # to what the one before has written.
        parts = [(0, 2), (1, 2)] + ([(0, 1)] if several else [])
        self.first_sums, rows = {}, 0  # of each part, among a channel's
        for first_pair, pair_step in parts:
            if pairs_per_clip := len(range(first_pair, t - 1, pair_step)):
                self.first_sums[first_pair, pair_step] = rows
                rows += self._tasks(pairs_per_clip) // x.shape[1]
        self.sums = torch.zeros((x.shape[1], rows, SUMS), **options)

    def _tasks(self, pairs_per_clip: int) -> int:
        n, c = self.x.shape[:2]
        groups = math.ceil(n * pairs_per_clip / self.plan.shape.maps_per_program)
        return c * groups * self.plan.down * self.plan.across

    def all_launches(
        self,
        recompute_plan: Tiling,
        grad: Tensor,
        x_grad: Tensor | None = None,
        initial_grad: Tensor | None = None,
    ) -> Iterator[Launch]:
        """What fills the gradients and the sums, (C, one row for each task, SUMS).

        Args:
            recompute_plan: how launches that only compute states tile the maps.
            grad: of the result.
            x_grad: that of x, None if not needed.
            initial_grad: that of the initial flow, None if not needed.
        """
        x = self.x
        unused = self.workspace
        states, new, spare, coeff_grads = [unused], unused, unused, unused
        if self.launches > 1:
            states = list(new_fields(x, min(STATES, self.launches), 6))
            coeff_grads = new_fields(x, 3)
            new, spare = new_fields(x, 2, 6)
        old = unused
        # State 0 is not stored: its slot is room for the next one. Nor is the state
        # after a launch back, which computes it again.
        for index, slot, target in schedule(self.launches, STATES):
            if index == ADVANCE:
                fields = states[slot], states[0]
                arguments = x, x, self.arguments, *fields, self.variant, recompute_plan
                yield from iteration_launches(
                    *arguments, self.plan.iterations, slot == 0, False, self.initial
                )
                states[0], states[target] = states[target], states[0]
            else:
                yield from self._launches(
                    index,
                    grad_ptr=grad,
                    x_grad_ptr=x_grad,
                    initial_grad_ptr=initial_grad if index == 0 else None,
                    state_ptr=states[slot],
                    old_ptr=old,
                    new_ptr=new,
                    coeff_grads_ptr=coeff_grads,
                )
                old, new, spare = new, spare, new

    def _launches(self, index: int, **tensors: Tensor | None) -> Iterator[Launch]:
        """Back over the iterations of one launch, or of all."""
        plan, x = self.plan, self.x
        n, c, t, h, w = x.shape
        done = index * plan.iterations
        first = index == 0
        x_grad, grad = tensors["x_grad_ptr"], tensors["grad_ptr"]
        for (first_pair, pair_step), first_sums in self.first_sums.items():
            if (pair_step == 2) != first:
                continue
            pairs_per_clip = len(range(first_pair, t - 1, pair_step))
            tasks = self._tasks(pairs_per_clip)
            for sobel in sobel_flags(self.variant, self.needs["NEED_FLOW"]):
                arguments = dict(
                    **tensors,
                    **_strides("grad_", grad),
                    x_ptr=x,
                    **_strides("", x),
                    **_strides("x_grad_", x if x_grad is None else x_grad),
                    **self.arguments,
                    workspace_ptr=self.workspace,
                    sums_ptr=self.sums,
                    channel_sums=self.sums.shape[1],
                    first_sums=first_sums,
                    initial_ptr=self.initial if first else None,
                    map_stride=n * c * (t - 1) * h * w,
                    first_pair=first_pair,
                    pair_step=pair_step,
                    pairs=n * pairs_per_clip,
                    pairs_per_clip=pairs_per_clip,
                    frames=t,
                    channels=c,
                    h=h,
                    w=w,
                    last=int(index == self.launches - 1),
                    n_iters=min(plan.iterations, self.n_iters - done),
                    segment=self.segments[0],
                    segments=self.segments[1],
                    maps_per_program=plan.shape.maps_per_program,
                    halo_before=plan.halo_before,
                    halo_after=plan.halo_after,
                    tiles=plan.down * plan.across,
                    tiles_x=plan.across,
                    K=constants(plan, self.variant, sobel, not self.needs["NEED_FLOW"]),
                    FIRST=first,
                    **self.needs,
                    SUMS=SUMS,
                    **options(plan, warp_size(x)),
                )
                yield Launch(backward_kernel, (min(tasks, self.programs),), arguments)
