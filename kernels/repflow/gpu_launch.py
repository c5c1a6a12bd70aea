"""Launch the Triton kernels: the same face as cpu.py."""

import math

import torch
from torch import Tensor

from .._common import launch
from . import gpu_backward, gpu_forward, gpu_large, gpu_shapes
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
    shape = gpu_shapes.fit_whole_maps(h, w, pairs, gpu_shapes.FORWARD)
    with launch.device_guard(x):
        if shape is None:
            clips = _clips_at_once(x, maps=2 * 6)
            for chunk, target in zip(x.split(clips), out.split(clips), strict=True):
                _forward_windows(chunk, target, arguments, n_iters, variant)
        else:
            windows = gpu_shapes.Windows(n_iters, 0, 0, 1, 1, 1, 0)
            edges = {"FIRST": True, "LAST": True}
            _launch_forward(
                x, out, arguments, out, out, variant, shape, windows, n_iters, edges
            )
    return out


def _forward_windows(x, out, arguments, n_iters, variant) -> None:
    """Some iterations a launch, with the state in global memory in between."""
    n, c, t, h, w = x.shape
    maps = n * c * (t - 1)
    windows = gpu_shapes.plan_windows(h, w, maps, n_iters, variant == "paper")
    old, new = torch.empty((2, 6, maps, h, w), dtype=torch.float32, device=x.device)
    for begin in range(0, n_iters, windows.iterations):
        count = min(windows.iterations, n_iters - begin)
        edges = {"FIRST": begin == 0, "LAST": begin + count == n_iters}
        shape = gpu_shapes.WINDOW
        _launch_forward(
            x, out, arguments, old, new, variant, shape, windows, count, edges
        )
        old, new = new, old


def _launch_forward(
    x: Tensor,
    out: Tensor,
    arguments: tuple[Tensor, ...],
    old: Tensor,
    new: Tensor,
    variant: str,
    shape: gpu_shapes.Shape,
    windows: gpu_shapes.Windows,
    n_iters: int,
    edges: dict[str, bool],
) -> None:
    n, c, t, h, w = x.shape
    pairs = n * (t - 1)
    grid = c * math.ceil(pairs / shape.maps), windows.down * windows.across
    for sobel in _sobel_flags(variant):
        gpu_forward.forward_kernel[grid](
            x,
            *x.stride(),
            out,
            *arguments,
            old,
            new,
            pairs * c * h * w,
            pairs,
            t - 1,
            c,
            h,
            w,
            n_iters,
            shape.maps,
            windows.before,
            windows.after,
            windows.across,
            **constants(shape, variant, sobel),
            WINDOWS=shape is gpu_shapes.WINDOW,
            **edges,
        )


def warp_size() -> int:
    """Threads of a warp: 32, on AMD 64, which then holds two rows of patches."""
    return 64 if torch.version.hip else 32


def _sobel_flags(variant: str) -> tuple[bool, ...]:
    return (True, False) if variant == "paper" else (False,)


def constants(shape: gpu_shapes.Shape, variant: str, sobel: bool) -> dict:
    """Compile-time arguments that all kernels on patches have."""
    return {
        "GROUPS": shape.GROUPS,
        "ROWS": shape.ROWS,
        "COLS": shape.COLS,
        "TALL": shape.TALL,
        "EXACT": shape.EXACT,
        "PAPER": variant == "paper",
        "SOBEL": sobel,
        "num_warps": max(1, shape.GROUPS * gpu_shapes.LANES // warp_size()),
    }


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
    n, c, t, h, w = x.shape
    need_x = needs[0]
    if n == 0:
        x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
        sums = torch.zeros((c, SUMS), dtype=torch.float64, device=x.device)
        return x_grad, *parameter_gradients(sums, kernels, scalars, variant)
    arguments = _as_kernel_arguments((*kernels, *scalars))
    x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
    with launch.device_guard(x):
        shape = gpu_shapes.fit_whole_maps(h, w, n * (t // 2), gpu_shapes.BACKWARD)
        if shape is not None:
            sums = _backward_whole(
                grad, x, x_grad, arguments, shape, n_iters, variant, needs
            )
        else:
            segment, segments = segments_of(n_iters)
            maps = 6 * (segment + segments - 1) + 4 + 4 + 4 + 2 + 2 + 3 + 2
            clips = _clips_at_once(x, maps)
            sums = 0
            for begin in range(0, n, clips):
                part = slice(begin, begin + clips)
                large = _Large(x[part], arguments, variant)
                target = x_grad[part] if need_x else x_grad
                sums = sums + large.backward(grad[part], target, n_iters, needs)
    return x_grad, *parameter_gradients(sums, kernels, scalars, variant)


def segments_of(n_iters: int) -> tuple[int, int]:
    """Iterations whose states are kept at a time, and how many such segments."""
    segment = math.ceil(math.sqrt(n_iters))
    return segment, math.ceil(n_iters / segment)


def _gather_frames(x_grad: Tensor, first: Tensor, second: Tensor) -> None:
    """Every inner frame belongs to two pairs: as F2 (second) and as F1 (first)."""
    x_grad[:, :, 0] = first[:, :, 0]
    x_grad[:, :, -1] = second[:, :, -1]
    x_grad[:, :, 1:-1] = second[:, :, :-1] + first[:, :, 1:]


def _backward_whole(grad, x, x_grad, arguments, shape, n_iters, variant, needs):
    need_x, need_image, need_flow, need_div, need_theta, _, _ = needs
    n, c, t, h, w = x.shape
    segment, segments = segments_of(n_iters)
    # Pairs 0, 2, 4 ... share no frame, and neither do the others: each launch adds to
    # the frames' gradients without a second writer.
    per_clip = t // 2, (t - 1) // 2
    groups = [math.ceil(n * pairs / shape.maps) for pairs in per_clip]
    # A program's states lie in global memory, and mostly in its cache: programs that
    # take one task after another bound them, whatever the batch. Registers let eight
    # warps run on a multiprocessor.
    resident = max(1, 8 // shape.GROUPS) * launch.multiprocessors(x)
    programs = min(c * groups[0], resident)
    options = {"dtype": torch.float32, "device": x.device}
    quads = math.ceil(shape.ROWS * shape.COLS / 4)
    size = 6 * quads * shape.GROUPS * 128
    slab = torch.empty((programs, segment + segments, size), **options)
    sums = torch.zeros((c * sum(groups), SUMS), **options)
    for parity in (0, 1):
        if per_clip[parity] == 0:
            continue
        part = sums[c * groups[0] :] if parity else sums[: c * groups[0]]
        for sobel in _sobel_flags(variant):
            gpu_backward.backward_kernel[(min(programs, len(part)),)](
                grad,
                *grad.stride(),
                x,
                *x.stride(),
                x_grad,
                *(x_grad.stride() if need_x else x.stride()),
                *arguments,
                slab,
                part,
                parity,
                n * per_clip[parity],
                per_clip[parity],
                t,
                c,
                h,
                w,
                n_iters,
                segment,
                segments,
                shape.maps,
                **constants(shape, variant, sobel),
                NEED_X=need_x,
                NEED_IMAGE=need_image,
                NEED_FLOW=need_flow,
                NEED_DIV=need_div or need_theta,
                SUMS=SUMS,
            )
    return sum(
        part.double().view(c, -1, SUMS).sum(1)
        for part in sums.split([c * g for g in groups if g])
    )


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

    def backward(
        self, grad: Tensor, x_grad: Tensor, n_iters: int, needs: list[bool]
    ) -> Tensor:
        """Fill x_grad; return the sums of each channel."""
        need_x, need_image, need_flow, need_div, need_theta, _, _ = needs
        n, c, pairs, h, w = self.pairs
        segment, segments = segments_of(n_iters)
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
