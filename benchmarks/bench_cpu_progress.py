"""Representation flow on the CPU, side by side with an earlier commit.

    python benchmarks/bench_cpu_progress.py [--commit 35d71d7] [--rounds 15]

The commit is checked out into a temporary git worktree, and a process each imports the
kernels of one checkout. They take turns, so that a busy machine disturbs both alike;
figures are medians. Results are compared as well: flows may differ by rounding only,
gradients by 1 % on average, since rounding may decide at a single pixel whether the
data term is limited there, where its gradient jumps. (Which error a gradient may have
beside float64's is in the tests.)
Memory is what one call adds to the peak of its process, results included (Linux).

Writes benchmarks/results/cpu_progress.json.
"""

import argparse
import importlib.util
import multiprocessing
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import timing
import torch
from checkouts import ROOT, checked_out
from tqdm import tqdm

LEARNED = ("div_kernel", "theta", "lam", "tau")  # the module's default
SHAPES = [(8, 32, 16, 7, 7), (4, 32, 16, 14, 14), (1, 32, 16, 28, 28)]
SHAPES += [(1, 32, 16, 56, 56), (1, 8, 16, 112, 112)]
ITERATIONS = 20


def use_checkout(checkout: Path) -> None:
    """Import flowzoo_kernels from a checkout, whatever is installed."""
    folder = checkout / "kernels"
    spec = importlib.util.spec_from_file_location(
        "flowzoo_kernels",
        folder / "__init__.py",
        submodule_search_locations=[str(folder)],
    )
    module = sys.modules["flowzoo_kernels"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def serve(pipe, checkout: Path) -> None:
    """Answer (variant, shape, threads, train), and whether memory is asked for, with
    seconds, or bytes added to the peak, and the results."""
    use_checkout(checkout)
    from repflow_inputs import make_maps, make_parameters

    from flowzoo_kernels import representation_flow
    from flowzoo_kernels.repflow import op
    from flowzoo_kernels.repflow.reference import default_kernels

    if not Path(op.__file__).is_relative_to(checkout):
        raise RuntimeError(f"{op.__file__} is not of {checkout}")
    while question := pipe.recv():
        (variant, shape, threads, train), memory = question
        torch.set_num_threads(threads)
        x = make_maps(shape).float().requires_grad_(train)
        parameters = make_parameters(variant, shape[1])
        # as the module begins, which does not train it
        parameters["flow_kernel"] = default_kernels(variant, shape[1])[1]
        wanted = [x, *(parameters[name].requires_grad_(train) for name in LEARNED)]
        before = timing.reset_peak() if memory else time.perf_counter()
        flow = representation_flow(
            x, *parameters.values(), ITERATIONS, variant, backend="cpu"
        )
        grads = ()
        if train:
            grads = torch.autograd.grad(flow, wanted, torch.ones_like(flow))
        after = timing.memory(peak=True) if memory else time.perf_counter()
        pipe.send((after - before, [t.detach().numpy() for t in (flow, *grads)]))


def differences(old: list[np.ndarray], new: list[np.ndarray]) -> list[float]:
    """Of the flow the largest over its maximum, then of each gradient the mean over its
    mean."""
    apart = [np.abs(a - b) for a, b in zip(old, new, strict=True)]
    size = [np.abs(a) for a in old]
    each = [apart[0].max() / size[0].max()]
    # a gradient may be 0: lam's is where no step is limited
    pairs = zip(apart[1:], size[1:], strict=True)
    each += [a.mean() / (b.mean() or 1.0) for a, b in pairs]
    return [float(value) for value in each]


def compare(servers: dict, case: tuple, rounds: int) -> dict:
    """Median milliseconds and memory of each checkout, and how much faster is "now"."""

    def ask(name: str, memory: bool = False) -> float:
        servers[name].send((case, memory))
        answer, results[name] = servers[name].recv()
        return answer

    seconds, results = {name: [] for name in servers}, {}
    for name in servers:
        ask(name)  # compiles
    peaks = [
        statistics.median(ask(name, memory=True) for _ in range(5)) for name in servers
    ]
    for _ in range(rounds):
        for name in servers:
            seconds[name].append(ask(name))
    before, now = (statistics.median(values) for values in seconds.values())
    flow, *gradients = differences(*results.values())
    if not (flow <= 1e-5 and all(value <= 1e-2 for value in gradients)):
        raise RuntimeError(f"{case}: the results differ by {flow:.1e}, {gradients}")
    variant, shape, threads, train = case
    return {
        "variant": variant,
        "shape": shape,
        "threads": threads,
        "step": "forward and backward" if train else "forward",
        "before ms": round(1e3 * before, 3),
        "now ms": round(1e3 * now, 3),
        "times as fast": round(before / now, 2),
        "before MB": round(peaks[0] / 1e6, 1),
        "now MB": round(peaks[1] / 1e6, 1),
        "flows differ by": flow,
        "gradients differ by": float(np.max(gradients, initial=0.0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--commit", default="35d71d7")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with checked_out(args.commit) as before:
        servers = {}
        for name, checkout in {"before": before, "now": ROOT}.items():
            servers[name], end = context.Pipe()
            context.Process(target=serve, args=(end, checkout), daemon=True).start()
            end.close()  # so that recv fails when the process has ended
        cases = [
            (variant, shape, threads, train)
            for threads in (1, 2)
            for variant in ("tvl1", "paper")
            for shape in SHAPES
            for train in (False, True)
        ]
        result = timing.environment("cpu", "numba") | {"commit": args.commit}
        rows = [compare(servers, case, args.rounds) for case in tqdm(cases)]
        for pipe in servers.values():
            pipe.send(None)
    timing.write(timing.OUTPUT / "cpu_progress.json", result | {"rows": rows})
    for row in rows:
        print(*row.values(), sep="  ")


if __name__ == "__main__":
    main()
