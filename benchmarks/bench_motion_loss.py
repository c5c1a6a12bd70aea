"""Motion losses against what their readers would run instead: time, memory, descent.

    python benchmarks/bench_motion_loss.py [--device cpu|cuda] [--compile]

On a busy CPU set OMP_WAIT_POLICY=PASSIVE, or torch's threads wait for each other in
vain and the baselines look far slower than they are.

Baselines of the loss: `reference`, the definition; `eager`, the same with grid_sample
for the warp, as most write it; `compile`, that under torch.compile. Warp and SSIM are
also timed alone, against kornia and pytorch-msssim where these are installed; the
latter has sliding windows, so its figure is for orientation.

Results and gradients are checked first. The rounds of all implementations alternate, so
that a busy machine disturbs them alike; figures are medians and 20 % and 80 % quantiles
of seconds. Peak memory is what forward and backward add, the flow's gradient included;
on the CPU that of a process of its own (Linux). The descent is that of
motion_descent.py; FlyingChairs pairs are taken from $FLOWZOO_TEST_DATA/flyingchairs.

Writes benchmarks/results/motion_loss_<device>.json.
"""

import argparse
import ctypes
import functools
import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import platform
import re
import statistics
import time
from pathlib import Path

import motion_descent
import torch
import torch.nn.functional as F
from torch import Tensor

from flowzoo_kernels import backward_warp, motion_loss, multiscale_motion_loss
from flowzoo_kernels.motion_loss.reference import Constants, motion_loss_reference, ssim

RESULTS = Path(__file__).parent / "results"
SCALE = 10.0  # of the finest flow
# flow_scale, weights, and the defaults of motion_loss
CONSTANTS = [SCALE, 1.0, 1.0, 0.01, 0.4, 255.0, 0.3, SCALE, 1e-3, 0.1]
CONSTANTS += [8 / 6, 4.0, 1e-4, 1e-3, 16.0, 30.0]


def grid_sample_warp(image: Tensor, flow: Tensor, padding: str = "zeros") -> Tensor:
    """The warp as it is usually written."""
    _, _, h, w = image.shape
    x = torch.arange(w, device=flow.device, dtype=flow.dtype)
    y = torch.arange(h, device=flow.device, dtype=flow.dtype).view(-1, 1)
    grid = torch.stack(
        [2 * (x + flow[:, 0]) + 1, 2 * (y + flow[:, 1]) + 1], dim=-1
    ) / flow.new_tensor([w, h])
    return F.grid_sample(
        image, grid - 1, padding_mode=padding, align_corners=False, mode="bilinear"
    )


def _eager(target, source, flow):
    options = CONSTANTS, 8, 8, "elements", grid_sample_warp
    return motion_loss_reference(target, source, flow, *options)[0]


def losses(device: str, compiled: bool) -> dict:
    """Name to function(target, source, flow) that returns the loss."""

    def call(backend, target, source, flow):
        options = {"flow_scale": SCALE, "backend": backend}
        return motion_loss(target, source, flow, **options)[0]

    fused = "cpu" if device == "cpu" else "triton"
    functions = {
        "fused": functools.partial(call, fused),
        "reference": functools.partial(call, "reference"),
        "eager": _eager,
    }
    if compiled:
        functions["compile"] = torch.compile(_eager)
    return functions


def make_case(batch: int, size: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Target, source and flow of ten pairs: smooth frames, smooth flow of a few pixels.

    Frames are views of an 11-frame stack, as in training.
    """
    g = torch.Generator().manual_seed(0)
    frames = torch.rand(batch, 33, size // 2, size // 2, generator=g) - 0.4
    frames = F.interpolate(frames, (size, size), mode="bilinear").to(device)
    flow = 0.3 * torch.randn(batch, 20, 7, 7, generator=g)
    flow = F.interpolate(flow, (size, size), mode="bilinear").to(device)
    return frames[:, :-3], frames[:, 3:], flow.requires_grad_()


def train(function, case):
    loss = function(*case)
    return loss, *torch.autograd.grad(loss, case[2])


def forward(function, case):
    with torch.no_grad():
        return (function(*case),)


def check(functions: dict, case) -> dict[str, float]:
    """Relative errors of loss and gradient against the reference in float64."""
    wide = [t.detach().double() for t in case]
    wide[2].requires_grad_()
    exact = train(functions["reference"], wide)
    errors = {}
    for name, function in functions.items():
        pairs = zip(train(function, case), exact, strict=True)
        errors[name] = [
            float((r.double() - e).detach().norm() / e.detach().norm())
            for r, e in pairs
        ]
        # the gradient's norm is that of the steep Charbonnier functions near 0
        if errors[name][0] > 1e-4 or errors[name][1] > 2e-2:
            raise RuntimeError(f"{name} is wrong: {errors[name]}")
    return errors


def time_all(step, functions: dict, case, rounds: int) -> dict:
    cuda = case[0].is_cuda
    seconds = {name: [] for name in functions}
    for round_ in range(rounds + 1):  # the first warms up
        for name, function in functions.items():
            if cuda:
                torch.cuda.synchronize()
            start = time.perf_counter()
            step(function, case)
            if cuda:
                torch.cuda.synchronize()
            if round_ > 0:
                seconds[name].append(time.perf_counter() - start)
    return {name: summary(values) for name, values in seconds.items()}


def summary(values: list[float]) -> dict[str, float]:
    quantiles = statistics.quantiles(values, n=5, method="inclusive")
    return {
        "median": statistics.median(values),
        "q20": quantiles[0],
        "q80": quantiles[3],
        "min": min(values),
    }


def speed_ups(timing: dict) -> dict[str, float]:
    own = timing["fused"]["median"]
    others = (item for item in timing.items() if item[0] != "fused")
    return {name: round(t["median"] / own, 1) for name, t in others}


def _peak_of_process() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def _peak_in_child(queue, name: str, batch: int, size: int, threads: int) -> None:
    torch.set_num_threads(threads)
    function = losses("cpu", False)[name]
    train(function, make_case(1, size, "cpu"))  # imports, compilation, threads
    case = make_case(batch, size, "cpu")
    ctypes.CDLL(None).malloc_trim(0)  # freed memory would be used again, uncounted
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what there is
    before = _peak_of_process()
    result = train(function, case)
    queue.put(_peak_of_process() - before)
    del result


def peak_memory(name: str, batch: int, size: int, device: str) -> int:
    """Bytes that forward and backward add to the peak."""
    if device == "cuda":
        function, case = losses(device, False)[name], make_case(batch, size, device)
        train(function, case)
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        train(function, case)
        return torch.cuda.max_memory_allocated() - before
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = queue, name, batch, size, torch.get_num_threads()
    process = context.Process(target=_peak_in_child, args=arguments)
    process.start()
    peak = queue.get()
    process.join()
    return peak


def bench_loss(args) -> dict:
    functions = losses(args.device, args.compile)
    case = make_case(args.batch, args.size, args.device)
    row = {"shape": list(case[0].shape), "pairs": 10}
    row["relative error of loss and gradient"] = check(functions, case)
    for step in (forward, train):
        row[step.__name__] = time_all(step, functions, case, args.rounds)
        row[f"{step.__name__} speed-up"] = speed_ups(row[step.__name__])
    gradient = 4 * case[2].numel()
    row["bytes of the flow's gradient"] = gradient
    row["peak over the flow's gradient"] = {
        name: round(peak_memory(name, args.batch, args.size, args.device) / gradient, 2)
        for name in ("fused", "reference", "eager")
    }
    return row


def bench_multiscale(args) -> dict:
    """Five scales of 11-frame clips, twice as large as the finest flow."""
    batch, size = args.batch, 2 * args.size
    g = torch.Generator().manual_seed(0)
    frames = torch.rand(batch, 3, 11, size, size, generator=g).to(args.device) - 0.4
    flows = [
        (0.1 * torch.randn(batch, 20, size >> i, size >> i, generator=g))
        .to(args.device)
        .requires_grad_()
        for i in range(1, 6)
    ]

    def run(backend, frames, flows):
        return multiscale_motion_loss(frames, flows, backend=backend)[0]

    fused = "cpu" if args.device == "cpu" else "triton"
    functions = {name: functools.partial(run, name) for name in (fused, "reference")}
    functions["fused"] = functions.pop(fused)

    def step(function, case):
        loss = function(frames, flows)
        torch.autograd.grad(loss, flows)

    timing = time_all(step, functions, (frames,), max(2, args.rounds // 3))
    return {
        "frames": list(frames.shape),
        "train": timing,
        "train speed-up": speed_ups(timing),
    }


def bench_warp(args) -> dict:
    """The warp alone, all ten pairs along the batch, with the flow's gradient."""
    _, source, flow = make_case(args.batch, args.size, args.device)
    image = source.unflatten(1, (10, 3)).flatten(0, 1)
    flow = (SCALE * flow).unflatten(1, (10, 2)).flatten(0, 1).detach()
    flow.requires_grad_()
    functions = {
        "fused": lambda image, _, flow: backward_warp(image, flow).sum(),
        "grid_sample": lambda image, _, flow: grid_sample_warp(image, flow).sum(),
    }
    if importlib.util.find_spec("kornia"):
        from kornia.geometry.transform import remap

        y, x = torch.meshgrid(
            *(torch.arange(s, device=flow.device) for s in flow.shape[2:]),
            indexing="ij",
        )
        functions["kornia"] = lambda image, _, flow: remap(
            image, x + flow[:, 0], y + flow[:, 1], align_corners=True
        ).sum()
    case = image, None, flow
    timing = time_all(train, functions, case, args.rounds)
    return {"train": timing, "train speed-up": speed_ups(timing)}


def bench_ssim(args) -> dict:
    """SSIM alone, value and gradient; the fused pass has no SSIM of its own."""
    target, source, _ = make_case(args.batch, args.size, args.device)
    moving = source.clone().requires_grad_()
    k = Constants(*CONSTANTS)
    functions = {"reference": lambda x, _, y: ssim(y, x, k, 8, 8)[0]}
    if importlib.util.find_spec("pytorch_msssim"):
        from pytorch_msssim import ssim as sliding

        functions["pytorch-msssim, sliding windows"] = lambda x, _, y: sliding(
            y, x, data_range=1.0, win_size=7
        )
    return {"train": time_all(train, functions, (target, None, moving), args.rounds)}


def bench_descent(args) -> dict:
    """End-point errors in pixels; on the CPU on every device."""
    return {
        "weights": motion_descent.WEIGHTS,
        "MotionShapes": motion_descent.motion_shapes(),
        "FlyingChairs": motion_descent.flying_chairs() or "no data",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="takes minutes on CPUs")
    parser.add_argument("--only", help="of loss,multiscale,warp,ssim,descent, by comma")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    path = args.output or RESULTS / f"motion_loss_{args.device}.json"
    result = {
        "op": "motion_loss",
        "device": torch.cuda.get_device_name()
        if args.device == "cuda"
        else platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
    }
    for package in ("triton", "numba", "kornia", "pytorch_msssim"):
        if importlib.util.find_spec(package):
            result[package] = importlib.metadata.version(package)
    if args.only and path.exists():  # keep the other parts
        result = json.loads(path.read_text()) | result
    benches = {
        "loss": bench_loss,
        "multiscale": bench_multiscale,
        "warp": bench_warp,
        "ssim": bench_ssim,
        "descent": bench_descent,
    }
    for name in args.only.split(",") if args.only else benches:
        load = getattr(os, "getloadavg", lambda: (None,))()[0]
        result[name] = {"threads": args.threads, "load before": load}
        result[name] |= benches[name](args)
        print(name, json.dumps(result[name]), flush=True)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
