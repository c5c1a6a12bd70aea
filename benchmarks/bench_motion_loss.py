"""Motion losses against what their readers would run instead: time, memory, descent.

    python benchmarks/bench_motion_loss.py [--device cpu|cuda] [--compile]
        [--threads 2,1] [--only loss,multiscale,warp,ssim,descent]

On a busy CPU set OMP_WAIT_POLICY=PASSIVE, or torch's threads wait for each other in
vain and the baselines look far slower than they are.

Baselines of the losses, of one scale and of five with the normalization and reduction
of the frames: `reference`, the definition; `eager`, the same with grid_sample for the
warp, as most write it; `compile`, that under torch.compile. On a GPU the five scales
are also compared with copying as many bytes as frames and flows have. Warp and SSIM are
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
import functools
import importlib.util
import json
from pathlib import Path

import motion_descent
import timing
import torch
import torch.nn.functional as F
from torch import Tensor

from flowzoo_kernels import backward_warp, motion_loss, multiscale_motion_loss
from flowzoo_kernels.frame_pyramid import frame_pyramid
from flowzoo_kernels.motion_loss.options import FLOW_SCALES, SSIM_WEIGHTS, Options
from flowzoo_kernels.motion_loss.reference import motion_loss_reference, ssim

SCALE = 10.0  # of the finest flow
FINEST = Options(SCALE)


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


def _eager(target, source, flow, options=FINEST):
    return motion_loss_reference(target, source, flow, options, grid_sample_warp)[0]


def _eager_scales(frames, flows):
    total = 0.0
    pyramid = frame_pyramid(frames, [f.shape[2:] for f in flows], backend="reference")
    scales = zip(pyramid, flows, FLOW_SCALES, SSIM_WEIGHTS, strict=True)
    for images, flow, scale, weight in scales:
        options = Options(scale, weights=(1.0, 1.0, weight))
        total = total + _eager(images[:, :-3], images[:, 3:], flow, options)
    return total


def losses(device: str, compiled: bool) -> dict:
    """Name to function(target, source, flow) that returns the loss."""

    def call(backend, target, source, flow):
        options = {"flow_scale": SCALE, "backend": backend}
        return motion_loss(target, source, flow, **options)[0]

    return _all(call, _eager, device, compiled)


def scale_losses(device: str, compiled: bool) -> dict:
    """Name to function(frames, five flows) that returns the loss."""

    def call(backend, frames, *flows):
        return multiscale_motion_loss(frames, flows, backend=backend)[0]

    def eager(frames, *flows):
        return _eager_scales(frames, flows)

    return _all(call, eager, device, compiled)


def _all(call, eager, device: str, compiled: bool) -> dict:
    fused = "cpu" if device == "cpu" else "triton"
    functions = {
        "fused": functools.partial(call, fused),
        "reference": functools.partial(call, "reference"),
        "eager": eager,
    }
    if compiled:
        functions["compile"] = torch.compile(eager)
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


def make_clip(batch: int, size: int, device: str) -> list[Tensor]:
    """11 frames twice as large as size, and five flows."""
    g = torch.Generator().manual_seed(0)
    frames = torch.rand(batch, 3, 11, 2 * size, 2 * size, generator=g) - 0.4
    flows = [
        0.1 * torch.randn(batch, 20, size >> i, size >> i, generator=g)
        for i in range(5)
    ]
    return [frames.to(device), *(f.to(device).requires_grad_() for f in flows)]


def train(function, case):
    loss = function(*case)
    leaves = [t for t in case if t is not None and t.requires_grad]
    return loss, *torch.autograd.grad(loss, leaves)


def forward(function, case):
    with torch.no_grad():
        return (function(*case),)


def check(functions: dict, case) -> dict[str, list[float] | str]:
    """Relative errors of loss and gradients against the reference in float64.

    A baseline that raises is left out of ``functions``, and its error is the message.
    """
    wide = [t.detach().double().requires_grad_(t.requires_grad) for t in case]
    exact = train(functions["reference"], wide)
    errors = {}
    for name, function in list(functions.items()):
        try:
            pairs = zip(train(function, case), exact, strict=True)
        except Exception as error:
            if name == "fused":
                raise
            errors[name] = f"{type(error).__name__}: {error}"[:300]
            del functions[name]
            continue
        errors[name] = [
            float((r.double() - e).detach().norm() / e.detach().norm())
            for r, e in pairs
        ]
        # the gradient's norm is that of the steep Charbonnier functions near 0
        if errors[name][0] > 1e-4 or max(errors[name][1:]) > 2e-2:
            raise RuntimeError(f"{name} is wrong: {errors[name]}")
    return errors


def time_all(step, functions: dict, case, rounds: int) -> dict:
    calls = {name: functools.partial(step, f, case) for name, f in functions.items()}
    return timing.compare(calls, rounds)


KINDS = {"one scale": (losses, make_case), "five scales": (scale_losses, make_clip)}


def prepare(kind: str, name: str, batch: int, size: int, device: str):
    """The call of which the memory is measured; a smaller one has run before."""
    functions, make = KINDS[kind]
    function = functions(device, False)[name]
    train(function, make(1, size, device))
    return functools.partial(train, function, make(batch, size, device))


def _bench(kind: str, args, rounds: int) -> dict:
    make_functions, make = KINDS[kind]
    functions = make_functions(args.device, args.compile)
    case = make(args.batch, args.size, args.device)
    row = {"shape": list(case[0].shape), "pairs": 10}
    row["relative error of loss and gradients"] = check(functions, case)
    for step in (forward, train):
        row[step.__name__] = time_all(step, functions, case, rounds)
        row[f"{step.__name__} speed-up"] = timing.speed_ups(row[step.__name__])
    gradient = sum(4 * t.numel() for t in case if t.requires_grad)
    row["bytes of the flow's gradient"] = gradient

    def peak_of(name):
        return args.device, prepare, kind, name, args.batch, args.size, args.device

    row["peak over the flow's gradient"] = {
        name: round(timing.added_to_peak(*peak_of(name)) / gradient, 2)
        for name in ("fused", "reference", "eager")
    }
    if args.device == "cuda":
        once = sum(t.numel() * t.element_size() for t in case)
        source = torch.empty(once // 8, device="cuda")  # read and written: as many
        copies = {"copy": lambda source: source.clone()}
        copy = time_all(lambda f, c: f(*c), copies, (source,), 20)["copy"]["median"]
        fused = row["train"]["fused"]["median"]
        row["of copy bandwidth"] = round(copy / fused, 3)
    return row


def bench_loss(args) -> dict:
    return _bench("one scale", args, args.rounds)


def bench_multiscale(args) -> dict:
    """Five scales of 11-frame clips, twice as large as the finest flow."""
    return _bench("five scales", args, max(3, args.rounds // 2))


def bench_warp(args) -> dict:
    """The warp alone, all ten pairs along the batch, without and with the flow's
    gradient."""
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
    row = {}
    for step in (forward, train):
        row[step.__name__] = time_all(step, functions, case, args.rounds)
        row[f"{step.__name__} speed-up"] = timing.speed_ups(row[step.__name__])
    return row


def bench_ssim(args) -> dict:
    """SSIM alone, value and gradient; the fused pass has no SSIM of its own."""
    target, source, _ = make_case(args.batch, args.size, args.device)
    moving = source.clone().requires_grad_()
    functions = {"reference": lambda x, _, y: ssim(y, x, FINEST)[0]}
    if importlib.util.find_spec("pytorch_msssim"):
        from pytorch_msssim import ssim as sliding

        functions["pytorch-msssim, sliding windows"] = lambda x, _, y: sliding(
            y, x, data_range=1.0, win_size=7
        )
    return {"train": time_all(train, functions, (target, None, moving), args.rounds)}


def bench_descent(args) -> dict:
    """End-point errors in pixels; on the CPU on every device."""
    chosen = motion_descent.choose_smoothness()
    best = min(chosen, key=chosen.get)
    return {
        "weights": [1.0, best, "as in training"],
        "mean error by smoothness on other MotionShapes pairs": chosen,
        "MotionShapes": motion_descent.motion_shapes(best),
        "FlyingChairs": motion_descent.flying_chairs(best) or "no data",
        "FlyingChairs, weights of training": motion_descent.flying_chairs(1.0)
        or "no data",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--batch", type=int, help="16 on a GPU, 8 on a CPU")
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", default="2", help="2,1: the losses with 1 too")
    parser.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="takes minutes on CPUs",
    )
    parser.add_argument("--only", help="of loss,multiscale,warp,ssim,descent, by comma")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    timing.use_full_precision()
    args.batch = args.batch or (16 if args.device == "cuda" else 8)
    first, *others = map(int, args.threads.split(","))
    path = args.output or timing.OUTPUT / f"motion_loss_{args.device}.json"
    packages = "triton", "numba", "kornia", "pytorch_msssim"
    result = {"op": "motion_loss"} | timing.environment(args.device, *packages)
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
        for threads in [first, *(others if name in ("loss", "multiscale") else ())]:
            torch.set_num_threads(threads)
            row = {"threads": threads, "load before": timing.load()}
            row |= benches[name](args)
            key = name if threads == first else f"{name}, threads: {threads}"
            result[key] = row
            print(key, json.dumps(row), flush=True)
            timing.write(path, result)


if __name__ == "__main__":
    main()
