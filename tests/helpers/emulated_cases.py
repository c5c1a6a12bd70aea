"""Calls of the operators whose Triton kernels run on the emulator.

``QUICK`` cases are a subset that meets every kernel; ``ALL`` cases every way in which
kernels are compiled and launched.
"""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable
from unittest import mock

import torch
from repflow_inputs import PARAMETERS, make_maps, make_parameters
from torch import Tensor

from flowzoo_kernels import (
    backward_warp,
    motion_loss,
    representation_flow,
    tvl1_flow,
)
from flowzoo_kernels._common import launch
from flowzoo_kernels.frame_pyramid import frame_pyramid
from flowzoo_kernels.repflow.reference import default_kernels
from flowzoo_kernels.warp import op as warp_op
from helpers import frame_pyramid_cases, motion_loss_cases, warp_cases
from helpers.ptx_emulator import emulated
from helpers.repflow_cases import ATOL, DRAWS

FLOAT32, HALVES = torch.float32, (torch.float16, torch.bfloat16)


@dataclasses.dataclass(frozen=True)
class Case:
    """run(backend, dtype, draw) gives named results, gradients too.

    dtype is the inputs', as they are if None. draw is 0 for the case, others are for
    similar inputs.
    """

    operator: str
    name: str
    run: Callable[[str, torch.dtype | None, int], dict[str, Tensor]]

    def __str__(self) -> str:
        return f"{self.operator} {self.name}"


def outcome(case: Case, seed: int | None = None) -> dict:
    """Errors beside eager's, relative to the largest value, findings and launches.

    seed: of a random order of warps and blocks; see ptx_emulator.
    """
    with emulated(seed) as emulator:
        result = case.run("triton", None, 0)
    eager, exact = (case.run("reference", kind, 0) for kind in (None, torch.float64))
    errors = {}
    for name, value in exact.items():
        assert result[name].dtype == eager[name].dtype, name
        assert result[name].shape == eager[name].shape, name
        if value.numel() == 0:
            continue
        scale = value.abs().max()
        error, allowed = (_error(r[name], value, scale) for r in (result, eager))
        wrong = error > 2 * allowed + ATOL[result[name].dtype]
        # The eager error of a single number is luck: the largest of several draws. All
        # are sums of terms like these, however much of them cancels in one draw.
        for draw in range(1, DRAWS + 1) if wrong and value.numel() == 1 else ():
            near = (case.run("reference", k, draw)[name] for k in (None, torch.float64))
            allowed = max(allowed, _error(*near, scale))
        wrong = error > 2 * allowed + ATOL[result[name].dtype]
        errors[name] = {"error": error, "eager": allowed, "wrong": wrong}
    return {
        "errors": errors,
        "findings": [str(finding) for finding in emulator.findings],
        "launches": len(emulator.launches),
    }


def _error(value: Tensor, exact: Tensor, scale: Tensor) -> float:
    """The largest error over a scale; of NaN, infinity."""
    difference = (value.double() - exact).abs().nan_to_num(torch.inf)
    return float(difference.max() / scale.clamp_min(1e-300))


def repflow(
    shape: tuple[int, ...],
    variant: str,
    n_iters: int,
    dtype: torch.dtype = FLOAT32,
    sobel: bool = False,
    strided: bool = False,
    needs: tuple[str, ...] = ("x", *PARAMETERS),
    multiprocessors: int = 1,
    initial: bool = False,
) -> Case:
    """sobel: with the kernels that `paper` starts from. needs: gradients wanted.

    initial: from an initial flow, whose gradient is wanted, too.
    """
    n, c, t, h, w = shape
    x, parameters = make_maps(shape, dtype), make_parameters(variant, c)
    if sobel:
        parameters["flow_kernel"] = default_kernels("paper", c)[1]
    g = torch.Generator().manual_seed(3)
    grad = torch.randn(n, 2 * c, t - 1, h, w, generator=g)
    extra = {}
    if initial:
        extra["initial_flow"] = torch.randn(grad.shape, generator=g).to(dtype)
        needs = *needs, "initial_flow"

    def run(backend: str, kind: torch.dtype | None, draw: int) -> dict[str, Tensor]:
        maps = x
        if draw:
            noise = torch.randn(shape, generator=torch.Generator().manual_seed(draw))
            maps = (x * (1 + 0.01 * noise)).to(dtype)
        if strided:
            maps = maps.permute(0, 4, 2, 1, 3).contiguous().permute(0, 3, 2, 4, 1)
        leaves = {
            name: value.detach().to(kind or value.dtype).requires_grad_(name in needs)
            for name, value in {"x": maps, **parameters, **extra}.items()
        }
        with mock.patch.object(launch, "sm_count", lambda _: multiprocessors):
            *tensors, flow = leaves.values() if initial else (*leaves.values(), None)
            out = representation_flow(*tensors, n_iters, variant, backend, flow)
            wanted = [leaves[name] for name in needs]
            weights = grad.to(dtype).to(out.dtype)
            grads = ()
            if needs:
                options = {"materialize_grads": True}
                grads = torch.autograd.grad(out, wanted, weights, **options)
        return {"out": out.detach(), **dict(zip(needs, grads, strict=True))}

    notes = [f"{shape} {variant}, {n_iters} iterations, {str(dtype)[6:]}"]
    notes += ["Sobel"] * sobel + ["strided"] * strided
    notes += ["initial flow"] * initial
    if len(needs) < 7:
        notes.append(f"gradients {', '.join(needs) or 'none'}")
    if multiprocessors > 1:
        notes.append(f"{multiprocessors} multiprocessors")
    return Case("representation flow", ", ".join(notes), run)


def warp(
    shape: tuple[int, ...],
    padding: str,
    dtype: torch.dtype = FLOAT32,
    strided: bool = False,
    deterministic: bool = False,
    needs: tuple[str, ...] = ("image", "flow"),
    size: float = 3.0,
) -> Case:
    """size: pixels that the flow moves at most."""
    inputs = warp_cases.make_inputs(shape, dtype, size)
    if strided:
        inputs = [tensor.mT.contiguous().mT for tensor in inputs]

    def run(backend: str, kind: torch.dtype | None, draw: int) -> dict[str, Tensor]:
        image, flow, grad = (tensor.detach().to(kind or dtype) for tensor in inputs)
        leaves = {"image": image, "flow": flow}
        for name in needs:
            leaves[name].requires_grad_()
        if backend == "triton":
            out = warp_op._forward(image, flow, padding, backend)
        else:
            out = backward_warp(image, flow, padding, backend)
        with _deterministic(deterministic and backend == "triton"):
            grads = torch.autograd.grad(out, [leaves[name] for name in needs], grad)
        return {"out": out.detach(), **dict(zip(needs, grads, strict=True))}

    notes = [f"{shape} {padding}, {str(dtype)[6:]}, flow up to {size:g}"]
    notes += ["strided"] * strided + ["deterministic"] * deterministic
    if len(needs) < 2:
        notes.append(f"gradient {needs[0]}")
    return Case("warp", ", ".join(notes), run)


@contextlib.contextmanager
def _deterministic(wanted: bool):
    torch.use_deterministic_algorithms(wanted)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def loss(
    shape: tuple[int, ...],
    dtype: torch.dtype = FLOAT32,
    strided: bool = False,
    gradient: bool = True,
    **options,
) -> Case:
    """shape: examples, pairs, channels, height, width."""
    options = {"weights": (1, 1, 0.05)} | options

    def run(backend: str, kind: torch.dtype | None, draw: int) -> dict[str, Tensor]:
        inputs = motion_loss_cases.make_inputs(shape, dtype, seed=draw)
        if strided:
            inputs = [tensor.mT.contiguous().mT for tensor in inputs]
        if gradient:
            return motion_loss_cases.run_loss(inputs, kind, backend=backend, **options)
        value, parts = motion_loss(
            *(tensor.to(kind or dtype) for tensor in inputs),
            flow_scale=motion_loss_cases.SCALE,
            backend=backend,
            **options,
        )
        return {"loss": value, **parts}

    notes = [f"{shape}, {str(dtype)[6:]}"]
    notes += [f"{name} {value}" for name, value in options.items()]
    notes += ["strided"] * strided + ["no gradient"] * (not gradient)
    return Case("motion losses", ", ".join(notes), run)


def pyramid(
    shape: tuple[int, ...],
    sizes: list[tuple[int, int]],
    dtype: torch.dtype = FLOAT32,
    lrn: tuple[int, float, float] = frame_pyramid_cases.LRN[0],
    strided: bool = False,
) -> Case:
    frames = frame_pyramid_cases.make_frames(shape, dtype)
    if strided:
        frames = frames.permute(0, 4, 2, 1, 3).contiguous().permute(0, 3, 2, 4, 1)

    def run(backend: str, kind: torch.dtype | None, draw: int) -> dict[str, Tensor]:
        levels = frame_pyramid(frames.to(kind or dtype), sizes, *lrn, backend=backend)
        return dict(zip(map(str, sizes), levels, strict=True))

    name = f"{shape} to {sizes}, {str(dtype)[6:]}, normalization {lrn}"
    return Case("frame pyramid", name + ", strided" * strided, run)


def tvl1(shape: tuple[int, ...], **changes: object) -> Case:
    """Few iterations: they amplify rounding where the frames leave the flow open."""
    n, t, h, w = shape
    y, x = torch.arange(float(h)).view(-1, 1), torch.arange(float(w))
    moved = [
        120 + 50 * torch.sin((x - 0.6 * k) / 3 + i) + 50 * torch.cos((y + 0.4 * k) / 4)
        for i in range(n)
        for k in range(t)
    ]
    frames = torch.stack(moved).view(shape)
    options = dict(scales=2, scale_step=0.9, warps=2, inner_iterations=7, epsilon=0.0)
    options |= dict(outer_iterations=1) | changes

    def run(backend: str, kind: torch.dtype | None, draw: int) -> dict[str, Tensor]:
        clip = frames.to(kind or FLOAT32)
        flow = tvl1_flow(clip, data_range=255.0, backend=backend, **options)
        return {"flow": flow}

    return Case("TV-L1 flow", f"{shape}, {changes}", run)


def quick_cases() -> list[Case]:
    return [
        repflow((1, 2, 3, 14, 14), "tvl1", 3),
        repflow((1, 2, 3, 14, 14), "paper", 3),
        repflow((1, 1, 3, 14, 14), "paper", 3, sobel=True),
        repflow((1, 1, 2, 33, 47), "tvl1", 3),
        repflow((1, 1, 3, 14, 14), "tvl1", 3, initial=True),
        *(warp((2, 3, 9, 21), padding) for padding in warp_cases.PADDINGS),
        loss((1, 2, 3, 13, 19)),
        pyramid((2, 3, 2, 13, 19), [(7, 10), (4, 3)]),
        *_tvl1_cases()[:2],
    ]


def all_cases() -> list[Case]:
    operators = _repflow_cases, _warp_cases, _loss_cases, _pyramid_cases, _tvl1_cases
    return [case for cases in operators for case in cases()]


def _repflow_cases() -> list[Case]:
    cases = []
    for variant, sobel in (("tvl1", False), ("paper", False), ("paper", True)):
        for shape, n_iters in (
            ((1, 2, 3, 14, 14), 3),
            ((1, 2, 3, 14, 14), 20),
            ((1, 2, 2, 14, 14), 1),
            ((2, 3, 4, 7, 7), 5),
            ((1, 5, 4, 13, 9), 5),
            ((2, 3, 2, 28, 28), 5),
            ((1, 1, 3, 33, 47), 3),
            ((1, 1, 2, 40, 40), 6),
            ((1, 1, 2, 1, 1), 3),
            ((1, 2, 3, 1, 6), 3),
        ):
            cases.append(repflow(shape, variant, n_iters, sobel=sobel))
        cases.append(repflow((1, 1, 2, 72, 80), variant, 5, sobel=sobel, needs=()))
    for variant in ("tvl1", "paper"):
        for dtype in HALVES:
            cases.append(repflow((1, 2, 3, 14, 14), variant, 5, dtype))
        cases.append(repflow((1, 2, 3, 14, 14), variant, 5, strided=True))
        cases.append(repflow((2, 4, 4, 14, 14), variant, 5, multiprocessors=5))
        for name in ("x", *PARAMETERS[:4]):
            cases.append(repflow((1, 2, 3, 14, 14), variant, 5, needs=(name,)))
        cases.append(repflow((1, 2, 3, 13, 9), variant, 5, initial=True))
        cases.append(repflow((1, 1, 2, 33, 47), variant, 4, initial=True))
    return [
        *cases,
        repflow((1, 1, 2, 33, 1), "tvl1", 3),
        repflow((1, 1, 2, 1, 70), "tvl1", 2),
        repflow((1, 1, 2, 33, 33), "tvl1", 1, initial=True),
        repflow((1, 1, 3, 34, 35), "tvl1", 5, HALVES[1], strided=True, initial=True),
    ]


def _warp_cases() -> list[Case]:
    cases = []
    for padding in warp_cases.PADDINGS:
        for shape in (2, 3, 7, 5), (1, 1, 1, 1), (2, 4, 16, 16), (1, 2, 33, 47):
            cases.append(warp(shape, padding))
        for shape, dtype in itertools.product(((2, 2, 13, 9), (1, 5, 32, 24)), HALVES):
            cases.append(warp(shape, padding, dtype))
        shape = 2, 3, 20, 15
        cases += [
            warp(shape, padding, strided=True),
            warp(shape, padding, deterministic=True),
            warp(shape, padding, needs=("image",)),
            warp(shape, padding, needs=("flow",)),
            warp(shape, padding, size=40.0),
        ]
    return cases


def _loss_cases() -> list[Case]:
    shape, small = (1, 2, 3, 13, 19), (1, 1, 1, 7, 17)
    return [
        *(loss(s) for s in (*motion_loss_cases.SHAPES, (1, 1, 3, 32, 64))),
        *(loss(shape, weights=w) for w in motion_loss_cases.TERMS),
        *(loss(s, d) for s in (shape, (2, 1, 1, 16, 16)) for d in HALVES),
        loss(shape, normalization="caffe"),
        loss(shape, strided=True),
        loss(shape, gradient=False),
        loss(small, ssim_window=5, ssim_stride=7),
        loss(small, ssim_window=20, ssim_stride=20),
        loss((1, 1, 2, 45, 41), ssim_window=20, ssim_stride=20),
        loss((1, 1, 1, 3, 6), ssim_window=1, ssim_stride=1),
        loss(small, border=0),
    ]


def _pyramid_cases() -> list[Case]:
    sizes = [(13, 18), (5, 7)]
    return [
        # The last one has more channels than the kernels take.
        *(pyramid(*case) for case in frame_pyramid_cases.CASES[:-1]),
        *(pyramid((1, 3, 2, 26, 37), sizes, dtype) for dtype in HALVES),
        pyramid((2, 3, 2, 64, 64), [(32, 32), (16, 16), (8, 8)]),
        pyramid((1, 2, 1, 6, 7), [(5, 3)], lrn=frame_pyramid_cases.LRN[1]),
        pyramid((2, 3, 2, 5, 6), [(4, 3), (2, 5)], strided=True),
        pyramid((1, 3, 2, 33, 31), [(33, 31), (1, 1), (2, 30)], strided=True),
    ]


def _tvl1_cases() -> list[Case]:
    early = {"epsilon": 0.2, "interpolation": "bilinear", "median": 1}
    return [
        tvl1((1, 2, 11, 23), median=5),
        tvl1((2, 2, 24, 19), **early),
        tvl1((1, 3, 40, 70), median=3),
        tvl1((1, 2, 40, 70), median=1, scales=1, warps=1),
        tvl1((1, 2, 1, 1), median=3),
        tvl1((1, 2, 9, 1), median=3),
    ]
