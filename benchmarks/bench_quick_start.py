"""The quick start's training, side by side with an earlier commit.

    python benchmarks/bench_quick_start.py [--commit 35d71d7] [--busy 0 1] [--rounds 3]

Each checkout's tools/train.py trains its configs/repflow_r18_motionshapes.py for one
epoch of the twelve and validates, as the README's first command does. The two take
turns, idle and beside processes that only count; one more round comes first, which
compiles and makes the data, and does not count. Prints the median seconds of a step of
training (each as the log has it, the mean of the last 20) and of the whole process, and
writes benchmarks/results/quick_start.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import timing
from bench_busy import counting
from checkouts import ROOT, checked_out, importable

CONFIG = Path("configs") / "repflow_r18_motionshapes.py"


def train(checkout: Path, folder: Path) -> dict[str, float]:
    """Seconds of a step and of the process, of which ``folder`` keeps what it makes."""
    packages = folder / "packages"
    if not packages.exists():
        importable(checkout, packages)
    env = {k: v for k, v in os.environ.items() if not k.startswith("OMP_")}
    env |= {
        "PYTHONPATH": str(packages),
        "FLOWZOO_DATA": str(folder / "data"),
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "tools/train.py", str(CONFIG)]
    command += ["--work-dir", str(folder / "run")]
    options = ["train_cfg.max_epochs=1", "default_hooks.logger.interval=1"]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--cfg-options", *options],
        cwd=checkout,
        env=env,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    seconds = time.perf_counter() - start
    log = max((folder / "run").glob("*/vis_data/scalars.json"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    steps = [line["time"] for line in lines if "loss" in line]
    return {"step": statistics.median(steps), "process": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--commit", default="35d71d7")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    result = timing.environment("cpu", "numba") | {"commit": args.commit, "beside": {}}
    with checked_out(args.commit) as before, tempfile.TemporaryDirectory() as folder:
        checkouts = {"before": before, "now": ROOT}
        folders = {name: Path(folder) / name for name in checkouts}
        for path in folders.values():
            path.mkdir()
        for name, checkout in checkouts.items():
            train(checkout, folders[name])
        for busy in args.busy:
            runs = {name: [] for name in checkouts}
            with counting(busy):
                for _ in range(args.rounds):
                    for name, checkout in checkouts.items():
                        runs[name].append(train(checkout, folders[name]))
            rows = {}
            for part in ("step", "process"):
                seconds = {k: [run[part] for run in v] for k, v in runs.items()}
                rows[part] = timing.medians(seconds, 3) | {"all": seconds}
                faster = rows[part]["before"] / rows[part]["now"]
                rows[part]["times as fast"] = round(faster, 2)
                print(f"{busy} busy, {part}: ", rows[part], flush=True)
            result["beside"][busy] = rows
    timing.write(timing.OUTPUT / "quick_start.json", result)


if __name__ == "__main__":
    main()
