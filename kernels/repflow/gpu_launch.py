"""Launch the Triton kernels: the same face as cpu.py."""

import math

import torch
from torch import Tensor

from .._common import launch
from . import gpu, gpu_large
from .partial_sums import parameter_gradients

SUMS = 64  # room for all sums of a program, a power of two
LARGE_BLOCK = 512
# Memory for the state of large maps; more clips are worked on one after another.
LARGE_STATE_BYTES = 2 << 30


def _as_kernel_arguments(parameters: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The three kernels and (theta, lam, tau) as one tensor, contiguous, float32."""
    *kernels, theta, lam, tau = (p.detach().float() for p in parameters)
    scalars = torch.stack([s.reshape(()) for s in (theta, lam, tau)])
    return *(k.contiguous() for k in kernels), scalars


def forward(
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
    variant: str,
) -> Tensor:
    """See :func:`flowzoo_kernels.representation_flow`."""
    parameters = image_kernel, flow_kernel, div_kernel, theta, lam, tau
    n, c, t, h, w = x.shape
    out = x.new_empty((n, 2 * c, t - 1, h, w))
    if n == 0:
        return out
    arguments = _as_kernel_arguments(parameters)
    pairs = n * (t - 1)
    packed = launch.pack(h * w, pairs, variant == "paper")
    with launch.device_guard(x):
        if packed is None:
            clips = _clips_at_once(x, maps=6 + 4)
            for chunk, target in zip(x.split(clips), out.split(clips), strict=True):
                large = _Large(chunk, arguments, variant)
                target.copy_(large.forward(n_iters))
            return out
        planes, block, warps = packed
        grid = (c * math.ceil(pairs / planes),)
        gpu.forward_kernel[grid](
            x,
            *x.stride(),
            out,
            *arguments,
            pairs,
            t - 1,
            c,
            h,
            w,
            n_iters,
            planes,
            0,
            PAPER=variant == "paper",
            BLOCK=block,
            num_warps=warps,
        )
    return out


def backward(
    grad: Tensor,
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
    variant: str,
    needs: list[bool],
) -> tuple[Tensor, ...]:
    """Gradients of the first seven arguments of the operator, in their types.

    Those that ``needs`` does not ask for are empty or meaningless.
    """
    kernels, scalars = (image_kernel, flow_kernel, div_kernel), (theta, lam, tau)
    n, c, _, h, w = x.shape
    need_x = needs[0]
    if n == 0:
        x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
        sums = torch.zeros((c, SUMS), dtype=torch.float64, device=x.device)
        return x_grad, *parameter_gradients(sums, kernels, scalars, variant)
    arguments = _as_kernel_arguments((*kernels, *scalars))
    x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
    with launch.device_guard(x):
        if launch.pack(h * w, 1, variant == "paper") is not None:
            sums = _backward_small(grad, x, x_grad, arguments, n_iters, variant, needs)
        else:
            segment, segments = _segments(n_iters)
            maps = 6 * (segment + segments - 1) + 4 + 4 + 4 + 2 + 2 + 3 + 2
            clips = _clips_at_once(x, maps)
            sums = 0
            for begin in range(0, n, clips):
                part = slice(begin, begin + clips)
                large = _Large(x[part], arguments, variant)
                target = x_grad[part] if need_x else x_grad
                sums = sums + large.backward(grad[part], target, n_iters, needs)
    return x_grad, *parameter_gradients(sums, kernels, scalars, variant)


def _segments(n_iters: int) -> tuple[int, int]:
    """Iterations whose states are kept at a time, and how many such segments."""
    segment = math.ceil(math.sqrt(n_iters))
    return segment, math.ceil(n_iters / segment)


def _gather_frames(x_grad: Tensor, first: Tensor, second: Tensor) -> None:
    """Every inner frame belongs to two pairs: as F2 (second) and as F1 (first)."""
    x_grad[:, :, 0] = first[:, :, 0]
    x_grad[:, :, -1] = second[:, :, -1]
    x_grad[:, :, 1:-1] = second[:, :, :-1] + first[:, :, 1:]


def _backward_small(grad, x, x_grad, arguments, n_iters, variant, needs) -> Tensor:
    need_x, need_image, need_flow, need_div, need_theta, _, _ = needs
    n, c, t, h, w = x.shape
    paper = variant == "paper"
    pairs = n * (t - 1)
    planes, block, warps = launch.pack(h * w, pairs, paper)
    tasks = c * math.ceil(pairs / planes)
    segment, segments = _segments(n_iters)
    # A program's states lie in global memory, and mostly in its cache: programs that
    # take one task after another bound them, whatever the batch. Registers let one
    # block of 1024 run on a multiprocessor.
    programs = min(tasks, max(1, 1024 // block) * launch.multiprocessors(x))
    state = {"dtype": torch.float32, "device": x.device}
    slab = torch.empty((programs, segment + segments - 1, 6, block), **state)
    sums = torch.empty((tasks, SUMS), **state)
    first = torch.empty((n, c, t - 1, h, w) if need_x else (1,), **state)
    second = torch.empty_like(first)
    gpu.backward_kernel[(programs,)](
        grad,
        *grad.stride(),
        x,
        *x.stride(),
        first,
        second,
        *arguments,
        slab,
        sums,
        pairs,
        t - 1,
        c,
        h,
        w,
        n_iters,
        segment,
        segments,
        planes,
        0,
        PAPER=paper,
        NEED_X=need_x,
        NEED_IMAGE=need_image,
        NEED_FLOW=need_flow,
        NEED_DIV=need_div or need_theta,
        BLOCK=block,
        SUMS=SUMS,
        num_warps=warps,
    )
    if need_x:
        _gather_frames(x_grad, first, second)
    return sums.double().view(c, -1, SUMS).sum(1)


def _clips_at_once(x: Tensor, maps: int) -> int:
    _, c, t, h, w = x.shape
    return max(1, LARGE_STATE_BYTES // (4 * maps * c * (t - 1) * h * w))


class _Large:
    """Some clips of large maps: their coefficients, and the launches on them."""

    def __init__(self, x: Tensor, arguments: tuple[Tensor, ...], variant: str) -> None:
        self.x = x
        self.image, self.flow, self.div, self.scalars = arguments
        n, c, t, h, w = x.shape
        self.pairs = n, c, t - 1, h, w
        self.maps = n * c * (t - 1), h, w
        self.grid = self.maps[0], math.ceil(h * w / LARGE_BLOCK)
        self.size = math.prod(self.maps), c, t - 1, h, w
        self.flags = {"PAPER": variant == "paper", "BLOCK": LARGE_BLOCK}
        self.coefficients = self._empty(4)
        gpu_large.prepare_kernel[self.grid](
            x, *x.stride(), self.coefficients, self.image, *self.size, **self.flags
        )

    def _empty(self, *lead: int) -> Tensor:
        shape = (*lead, *self.maps)
        return torch.empty(shape, dtype=torch.float32, device=self.x.device)

    def _new_u(self, old: Tensor, new: Tensor) -> None:
        gpu_large.u_kernel[self.grid](
            self.coefficients,
            old,
            new,
            self.div,
            self.scalars,
            *self.size,
            **self.flags,
        )

    def _iterate(self, old: Tensor, new: Tensor) -> None:
        self._new_u(old, new)
        gpu_large.p_kernel[self.grid](
            old, new, self.flow, self.scalars, *self.size, **self.flags
        )

    def forward(self, n_iters: int) -> Tensor:
        """(n, 2C, T-1, H, W) in float32."""
        state = self._empty(6).zero_()
        for _ in range(n_iters - 1):
            self._iterate(state, state)
        self._new_u(state, state)
        n, c, pairs, h, w = self.pairs
        return (
            state[:2]
            .view(2, *self.pairs)
            .transpose(0, 1)
            .reshape(n, 2 * c, pairs, h, w)
        )

    def backward(
        self, grad: Tensor, x_grad: Tensor, n_iters: int, needs: list[bool]
    ) -> Tensor:
        """Fill x_grad; return the sums of each channel."""
        need_x, need_image, need_flow, need_div, need_theta, _, _ = needs
        n, c, pairs, h, w = self.pairs
        segment, segments = _segments(n_iters)
        states = self._empty(segment + segments - 1, 6)

        def checkpoint(index: int) -> Tensor:
            return states[segment - 1 + index]

        states[0].zero_()
        for index in range(1, segments):
            for _ in range(segment):
                self._iterate(states[0], states[0])
            checkpoint(index).copy_(states[0])

        u_old_grad = self._empty(2)
        split = grad.reshape(n, 2, c, pairs, h, w).transpose(0, 1)
        u_old_grad.view(2, *self.pairs).copy_(split)
        u_grad, p_grad = self._empty(2), self._empty(4).zero_()
        q_grad, map_sums = self._empty(4).zero_(), self._empty(3).zero_()
        sums = torch.zeros((*self.grid, SUMS), device=self.x.device)
        for index in reversed(range(segments)):
            if index == 0:
                states[0].zero_()
            else:
                states[0].copy_(checkpoint(index))
            begin = index * segment
            length = min(segment, n_iters - begin)
            for j in range(1, length):
                self._iterate(states[j - 1], states[j])
            for j in reversed(range(length)):
                if begin + j < n_iters - 1:
                    new = states[j + 1] if j + 1 < length else checkpoint(index + 1)
                    gpu_large.p_back_kernel[self.grid](
                        new,
                        p_grad,
                        q_grad,
                        u_grad,
                        self.flow,
                        self.div,
                        self.scalars,
                        sums,
                        *self.size,
                        NEED_FLOW=need_flow,
                        SUMS=SUMS,
                        **self.flags,
                    )
                gpu_large.u_back_kernel[self.grid](
                    self.coefficients,
                    states[j],
                    q_grad,
                    u_grad,
                    u_old_grad,
                    map_sums,
                    self.flow,
                    self.scalars,
                    sums,
                    *self.size,
                    NEED_MAPS=need_x or need_image,
                    NEED_DIV=need_div or need_theta,
                    SUMS=SUMS,
                    **self.flags,
                )
        first, second = self._empty(), self._empty()
        gpu_large.maps_back_kernel[self.grid](
            self.x,
            *self.x.stride(),
            map_sums,
            first,
            second,
            self.image,
            sums,
            *self.size,
            NEED_X=need_x,
            NEED_IMAGE=need_image,
            SUMS=SUMS,
            **self.flags,
        )
        if need_x:
            _gather_frames(x_grad, first.view(self.pairs), second.view(self.pairs))
        return sums.double().view(n, c, -1, SUMS).sum((0, 2))
