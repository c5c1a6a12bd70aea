"""A training step of a config with each implementation of representation flow.

usage: python benchmarks/bench_training_step.py [CONFIG] [--clips N] [--frames T] ...

Prints the median time of forward, backward and optimizer step for each backend,
measured in turns, and writes them to benchmarks/results/.
"""

import argparse
import functools
import json
import platform
import statistics
import time
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

import flowzoo  # noqa: F401
from flowzoo_kernels import modules, representation_flow

ROOT = Path(__file__).parents[1]


def make_batch(args: argparse.Namespace) -> dict:
    shape = (1, 3, args.frames, args.size, args.size)
    return dict(
        inputs=[
            torch.randint(256, shape, dtype=torch.uint8) for _ in range(args.clips)
        ],
        data_samples=[ActionDataSample().set_gt_label(0) for _ in range(args.clips)],
    )


def timed_step(model, batch: dict, optimizer, backend: str) -> float:
    modules.representation_flow = functools.partial(
        representation_flow, backend=backend
    )
    start = time.perf_counter()
    model.train_step(batch, optimizer)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = ROOT / "configs" / "repflow_r18_motionshapes.py"
    parser.add_argument("config", nargs="?", type=Path, default=default)
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--frames", type=int, default=9)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()

    device = "cuda" if torch.cuda.is_available() else "cpu"
    backends = ["reference", "triton" if device == "cuda" else "cpu"]
    config = Config.fromfile(args.config)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model).to(device)
        optimizer = build_optim_wrapper(model, config.optim_wrapper)
    batch = make_batch(args)
    times = {backend: [] for backend in backends}
    for round_ in range(args.rounds + 1):
        for backend in backends:
            seconds = timed_step(model, batch, optimizer, backend)
            if round_ > 0:  # the first one compiles
                times[backend].append(seconds)

    result = dict(
        config=args.config.name,
        shape=[args.clips, 3, args.frames, args.size, args.size],
        device=torch.cuda.get_device_name() if device == "cuda" else "cpu",
        machine=platform.machine(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        median_seconds={k: round(statistics.median(v), 4) for k, v in times.items()},
        all_seconds={k: [round(s, 4) for s in v] for k, v in times.items()},
    )
    out = (
        ROOT
        / "benchmarks"
        / "results"
        / f"training_step_{args.config.stem}_{device}.json"
    )
    out.write_text(json.dumps(result, indent=1) + "\n")
    for backend, seconds in result["median_seconds"].items():
        print(f"{backend:10} {seconds:.3f} s per step")


if __name__ == "__main__":
    main()
