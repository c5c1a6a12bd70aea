"""Representation flow against what its readers would run instead: time and memory.

    python benchmarks/bench_repflow.py [--device cpu|cuda]

Baselines: `eager`, the reference; `compile`, the reference under torch.compile;
`authors`, the authors' first layer with its masks mended (upstream_repflow.py). For
every case the result and the gradients are checked against float64 first. The rounds
of all implementations alternate, so that a busy machine disturbs them alike; the
figures are medians and the 20 % and 80 % quantiles. Peak memory is what one call adds,
its result and gradients included; on the CPU that of a process of its own (Linux).

On the CPU it also measures what stands around the layer in a network: normalization,
1x1 and 3x3 convolution, at the channels of a ResNet-18 where its maps are 14 x 14.

Writes benchmarks/results/repflow_<device>.json and a plot.
"""

import argparse
import functools
import json
import math
from pathlib import Path

import timing
import torch
from repflow_inputs import make_maps, make_parameters
from upstream_repflow import upstream_layer

from flowzoo_kernels import representation_flow
from flowzoo_kernels.modules import normalize_maps

ROOT = Path(__file__).parents[1]

LEARNED = ("div_kernel", "theta", "lam", "tau")  # the module's default


def implementations(variant: str, device: str) -> dict:
    """Name to function(x, parameters, n_iters)."""

    def reference(x, p, n):
        return representation_flow(x, *p, n, variant, "reference")

    fused = "cpu" if device == "cpu" else "triton"
    functions = {
        "fused": lambda x, p, n: representation_flow(x, *p, n, variant, fused),
        "eager": reference,
        "compile": torch.compile(reference, dynamic=False),
    }
    if variant == "tvl1":
        functions["authors"] = lambda x, p, n: upstream_layer(x, *p, n)
    return functions


def make_case(shape, variant, device, dtype=torch.float32):
    x = make_maps(shape).to(device, dtype).requires_grad_()
    params = make_parameters(variant, shape[1])
    params = {k: v.to(device) for k, v in params.items()}
    for name in LEARNED:
        params[name].requires_grad_()
    n, c, t, h, w = shape
    grad = torch.randn(n, 2 * c, t - 1, h, w, generator=torch.Generator())
    return x, params, grad.to(device, dtype)


def forward(function, case, n_iters):
    x, params, _ = case
    with torch.no_grad():
        return function(x, params.values(), n_iters)


def train(function, case, n_iters):
    x, params, grad = case
    out = function(x, params.values(), n_iters)
    wanted = [x, *(params[name] for name in LEARNED)]
    return out, *torch.autograd.grad(out, wanted, grad)


def check(functions: dict, case, variant: str, n_iters: int) -> dict[str, float | str]:
    """Relative error of every implementation: the worst of result and gradients.

    A baseline that raises is left out of ``functions``, and its error is the message.
    """

    def double(t):
        return t.detach().double().requires_grad_(t.requires_grad)

    x, params, grad = case
    exact_case = double(x), {k: double(v) for k, v in params.items()}, grad.double()

    def reference(x, p, n):
        return representation_flow(x, *p, n, variant, "reference")

    def relative(result, true, left_out=0.0):
        error = (result.double() - true).detach().abs().flatten().sort()[0]
        kept = error[: math.ceil(len(error) * (1 - left_out))]
        return float(kept.norm() / true.detach().norm().clamp(min=1e-30))

    exact = train(reference, exact_case, n_iters)
    errors = {}
    for name, function in list(functions.items()):
        try:
            results = train(function, case, n_iters)
        except Exception as error:
            if name == "fused":
                raise
            errors[name] = f"{type(error).__name__}: {error}"[:300]
            del functions[name]
            continue
        norms = map(relative, results, exact)
        errors[name] = max(norms)
        # Result and gradient of x decide: lam's may be a sum that cancels. A pixel that
        # reaches the clamp's limit within rounding has one of two gradients, in eager
        # code as well, and hundreds of thousands of pixels have some of that kind.
        worst = max(
            relative(results[0], exact[0]), relative(results[1], exact[1], 0.001)
        )
        if worst > (1e-4 if x.dtype == torch.float32 else 2e-2):
            raise RuntimeError(f"{name} is wrong: relative error {worst}")
    return errors


def time_all(step, functions: dict, case, n_iters: int, rounds: int) -> dict:
    """Seconds of each function: median and quantiles over alternating rounds."""
    calls = {
        name: functools.partial(step, function, case, n_iters)
        for name, function in functions.items()
    }
    return timing.compare(calls, rounds)


def around_the_layer(threads: int, rounds: int) -> dict:
    """Seconds of the layer's neighbors in a ResNet-18 beside its own, on the CPU."""
    n, c, t, h, w = shape = (4, 32, 16, 14, 14)
    channels = 256
    params = make_parameters("tvl1", c)
    for name in LEARNED:
        params[name].requires_grad_()
    reduce = torch.nn.Conv2d(channels, c, 1, bias=False)
    expand = torch.nn.Conv2d(2 * c, channels, 3, padding=1, bias=False)
    maps = make_maps(shape)
    parts = {
        "fused": (lambda x: representation_flow(x, *params.values(), 20, "tvl1"), maps),
        "normalize": (lambda x: normalize_maps(x, "clip"), maps),
        "1x1 convolution": (reduce, torch.randn(n * t, channels, h, w)),
        "3x3 convolution": (expand, torch.randn(n * (t - 1), 2 * c, h, w)),
    }

    def run(name, train):
        function, x = parts[name]
        with torch.set_grad_enabled(train):
            out = function(x.requires_grad_(train))
            if train:
                out.backward(torch.ones_like(out))

    result = {"shape": shape, "channels": channels, "threads": threads}
    for step, train in (("forward", False), ("train", True)):
        calls = {name: functools.partial(run, name, train) for name in parts}
        seconds = timing.alternate(calls, rounds)
        result[step] = {name: timing.summary(v) for name, v in seconds.items()}
    return result


def prepare(name, step_name, shape, variant, n_iters, device):
    """The call of which the memory is measured; a small case has run before."""
    function = implementations(variant, device)[name]
    step = {"forward": forward, "train": train}[step_name]
    step(function, make_case((1, shape[1], 2, 4, 4), variant, device), n_iters)
    return functools.partial(step, function, make_case(shape, variant, device), n_iters)


def case_bytes(shape) -> int:
    """float32 input, output and their gradients."""
    n, c, t, h, w = shape
    return 2 * 4 * n * c * h * w * (t + 2 * (t - 1))


def bench_one(shape, variant, args, functions) -> dict:
    case = make_case(shape, variant, args.device, getattr(torch, args.dtype))
    row = {"shape": shape, "variant": variant, "n_iters": args.n_iters}
    row |= {"dtype": args.dtype, "threads": torch.get_num_threads()}
    row["relative error"] = check(functions, case, variant, args.n_iters)
    for step in (forward, train):
        summaries = time_all(step, functions, case, args.n_iters, args.rounds)
        row[step.__name__] = summaries
        row[f"{step.__name__} speed-up"] = timing.speed_ups(summaries)
    # Load of other programs shows as a number above that of our threads.
    row["load average"] = timing.load()
    print(json.dumps({k: v for k, v in row.items() if "speed" in k or k == "shape"}))
    return row


def roofline(row: dict, clock_hz: float, bytes_per_second: float) -> dict:
    """What instructions and memory would allow on the GPU, and the fraction reached.

    Instructions per pixel and iteration are those of the compiled loops in
    results/repflow_compile_triton_VERSION.json (sm_90); the backward pass is its own
    loop and the states computed again, once, and once more for all but the last
    segment.
    """
    n, c, t, h, w = row["shape"]
    import triton

    path = timing.RESULTS / f"repflow_compile_triton_{triton.__version__}.json"
    table = json.loads(path.read_text())["rows"] if path.exists() else []
    loops = {
        r["kernel"]: r["per pixel and iteration"]
        for r in table
        if r.get("target") == "sm_90"
        and (r["variant"], r["map"]) == (row["variant"], min(28, h))
        and r["dtype"] == "float32"
    }
    if not {"forward", "backward"} <= set(loops):
        return {"missing": f"the instructions of {path.name}"}
    segment = math.ceil(math.sqrt(row["n_iters"]))
    again = 2 - segment / row["n_iters"]
    work = n * c * (t - 1) * h * w * row["n_iters"]
    lanes = 128 * torch.cuda.get_device_properties().multi_processor_count
    size = torch.finfo(getattr(torch, row["dtype"])).bits // 8
    forward_bytes = size * n * c * h * w * (t + 2 * (t - 1))
    result = {}
    for step, instructions, moved in (
        ("forward", loops["forward"], forward_bytes),
        (
            "train",
            (1 + again) * loops["forward"] + loops["backward"],
            3 * forward_bytes,
        ),
    ):
        issue, memory = work * instructions / (lanes * clock_hz), moved
        memory /= bytes_per_second
        result[step] = {
            "instructions": instructions,
            "bytes": moved,
            "instruction seconds": issue,
            "memory seconds": memory,
            "fraction reached": max(issue, memory) / row[step]["fused"]["median"],
        }
    return result


def plot(rows: list[dict], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("no plot: matplotlib is not installed")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    variants = sorted({row["variant"] for row in rows})
    figure, axes = plt.subplots(1, 2 * len(variants), figsize=(6.5 * len(variants), 4))
    panels = [(v, s) for v in variants for s in ("forward", "train")]
    for axis, (variant, step) in zip(axes, panels, strict=True):
        chosen = [row for row in rows if row["variant"] == variant]
        for name in ("fused", "eager", "compile", "authors"):
            measured = [row for row in chosen if name in row[step]]
            values = [
                1e9
                * row[step][name]["median"]
                / (torch.Size(row["shape"]).numel() * row["n_iters"])
                for row in measured
            ]
            axis.loglog([row["shape"][3] for row in measured], values, "o-", label=name)
        pixels = [row["shape"][3] for row in chosen]
        axis.set_title(f"{variant}, {step}")
        axis.set_xlabel("map height and width")
        axis.set_xticks(pixels, pixels)
        axis.minorticks_off()
    axes[0].set_ylabel("ns per input element and iteration")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def write(args, rows: list[dict], memory: list[dict], around: dict) -> Path:
    """Write what there is so far: a run may take long."""
    result = timing.environment(args.device, "triton", "numba") | {"rows": rows}
    result["memory of forward and backward"] = memory
    result["around the layer"] = around
    result["most pixels of a thread backward"] = args.backward_pixels
    suffix = "" if args.dtype == "float32" else f"_{args.dtype}"
    suffix += args.suffix
    path = timing.OUTPUT / f"repflow_{args.device}{suffix}.json"
    timing.write(path, result)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--sizes", default="7,14,28,56,112")
    parser.add_argument("--variants", default="tvl1,paper")
    parser.add_argument("--n-iters", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--compile-sizes",
        default="14,28,56",
        help="maps for which torch.compile runs too; it takes minutes for each",
    )
    parser.add_argument("--clips", type=int, help="32 on a GPU, 4 on a CPU")
    parser.add_argument("--suffix", default="", help="of the result's name; no plot")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument(
        "--backward-pixels",
        type=int,
        default=4,
        choices=(4, 8),
        help="most pixels of a thread of the GPU's backward pass",
    )
    args = parser.parse_args()
    args.clips = args.clips or (4 if args.device == "cpu" else 32)
    torch.set_num_threads(args.threads)
    if args.backward_pixels == 8:
        from flowzoo_kernels.repflow.gpu import tiling

        tiling.BACKWARD = tiling.Limits(8, 0.12)
    timing.use_full_precision()

    # 60 pairs of 32 maps at 14 x 14 on the CPU, 32 clips of 16 frames on a GPU; about
    # as many pixels at the other sizes.
    rows, memory, around, limits = [], [], {}, ()
    if args.device == "cpu":
        around = around_the_layer(args.threads, 4 * args.rounds)
    else:
        limits = timing.gpu_limits()
    for variant in args.variants.split(","):
        for size in map(int, args.sizes.split(",")):
            torch.compiler.reset()  # or it gives up after some shapes
            functions = implementations(variant, args.device)
            if str(size) not in args.compile_sizes.split(","):
                functions.pop("compile")
            clips = args.clips
            channels = 32 if size <= 28 else 8 if size <= 56 else 2
            clips = max(1, clips * 196 // size**2) if size > 14 else clips
            shape = (clips, channels, 16, size, size)
            rows.append(bench_one(shape, variant, args, functions))
            if args.device == "cuda" and size <= 44:
                rows[-1]["roofline"] = roofline(rows[-1], *limits)
            write(args, rows, memory, around)
        shape = (args.clips, 32, 16, 14, 14)
        if args.no_memory:
            continue
        for name in ("fused", "eager", "authors")[: 3 if variant == "tvl1" else 2]:
            for n_iters in (5, 20, 50) if name == "fused" else (20,):
                case = name, "train", shape, variant, n_iters, args.device
                peak = timing.added_to_peak(args.device, prepare, *case)
                row = {"variant": variant, "implementation": name, "n_iters": n_iters}
                row |= {"peak bytes": peak, "times x, out, gradients": None}
                row["times x, out, gradients"] = round(peak / case_bytes(shape), 2)
                memory.append(row)
                print(json.dumps(row))
    path = write(args, rows, memory, around)
    if not args.suffix:
        plot(rows, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
