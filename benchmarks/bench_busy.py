"""A training step beside other busy processes, for each way in which threads wait.

usage: python benchmarks/bench_busy.py [--busy 0 1 2] [--rounds 3] [--steps 5]

The step is the quick start's. torch's threads spin while they wait, by default, or
sleep with OMP_WAIT_POLICY=PASSIVE, which tools/train.py sets on a CPU. Each measurement
is a process of its own, in turns; beside it run processes that only count. Prints the
median seconds of a step, and writes them to benchmarks/results/.
"""

import argparse
import contextlib
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import timing

POLICIES = {"default": {}, "passive": {"OMP_WAIT_POLICY": "PASSIVE"}}
ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "configs" / "repflow_r18_motionshapes.py"


def measure_steps(steps: int) -> list[float]:
    """Seconds of each step of training, after one that compiles."""
    from bench_training_step import make_batch, train_step
    from mmaction.registry import MODELS
    from mmengine.config import Config
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import DefaultScope

    import flowzoo  # noqa: F401

    config = Config.fromfile(CONFIG)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
        optimizer = build_optim_wrapper(model, config.optim_wrapper)
    batch = make_batch(argparse.Namespace(clips=32, frames=9, size=64))
    step = functools.partial(train_step, model, batch, optimizer, "cpu")
    return timing.alternate({"step": step}, steps)["step"]


@contextlib.contextmanager
def counting(processes: int) -> Iterator[None]:
    """Keep that many other processes busy."""
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure(policy: str, busy: int, steps: int) -> list[float]:
    """The same in a new process, beside ``busy`` others."""
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    env |= POLICIES[policy] | {"CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, __file__, "--child", "--steps", str(steps)]
    with counting(busy):
        child = subprocess.run(
            command, env=env, stdout=subprocess.PIPE, text=True, check=True
        )
    return json.loads(child.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure_steps(args.steps)))
        return

    times = {busy: {policy: [] for policy in POLICIES} for busy in args.busy}
    for _ in range(args.rounds):
        for busy, by_policy in times.items():
            for policy, seconds in by_policy.items():
                seconds += measure(policy, busy, args.steps)
    result = dict(
        **timing.environment("cpu"),
        load_at_the_end=timing.load(),
        median_seconds={busy: timing.medians(times[busy], 3) for busy in times},
        all_seconds=times,
    )
    timing.write(timing.RESULTS / "busy_cpu.json", result)
    print("busy others  " + "  ".join(f"{policy:>9}" for policy in POLICIES))
    for busy, medians in result["median_seconds"].items():
        print(f"{busy:11}  " + "  ".join(f"{s:8.2f} s" for s in medians.values()))


if __name__ == "__main__":
    main()
