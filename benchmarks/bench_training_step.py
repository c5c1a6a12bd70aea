"""A training step of a config with each implementation of representation flow.

usage: python benchmarks/bench_training_step.py [CONFIG] [--clips N] [--frames T] ...

Prints the median time of forward, backward and optimizer step for each backend,
measured in turns, and writes them to benchmarks/results/.
"""

import argparse
import functools
from pathlib import Path

import timing
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

import flowzoo  # noqa: F401
from flowzoo_kernels import RepresentationFlow

ROOT = Path(__file__).parents[1]


def make_batch(args: argparse.Namespace) -> dict:
    shape = (1, 3, args.frames, args.size, args.size)
    return dict(
        inputs=[
            torch.randint(256, shape, dtype=torch.uint8) for _ in range(args.clips)
        ],
        data_samples=[ActionDataSample().set_gt_label(0) for _ in range(args.clips)],
    )


def train_step(model, batch: dict, optimizer, backend: str) -> None:
    for module in model.modules():
        if isinstance(module, RepresentationFlow):
            module.backend = backend
    model.train_step(batch, optimizer)


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
    step = functools.partial(train_step, model, make_batch(args), optimizer)
    steps = {backend: functools.partial(step, backend) for backend in backends}
    result = dict(
        config=args.config.name,
        shape=[args.clips, 3, args.frames, args.size, args.size],
        **timing.environment(device),
    )
    times = timing.alternate(steps, args.rounds)
    result["median_seconds"] = timing.medians(times)
    result["all_seconds"] = {k: [round(s, 4) for s in v] for k, v in times.items()}
    name = f"training_step_{args.config.stem}_{device}.json"
    timing.write(timing.OUTPUT / name, result)
    for backend, seconds in result["median_seconds"].items():
        print(f"{backend:10} {seconds:.3f} s per step")


if __name__ == "__main__":
    main()
