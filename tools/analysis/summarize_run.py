"""Sum up a work directory in one JSON file: the latest training and the latest test.

usage: python tools/analysis/summarize_run.py WORK_DIR [--out FILE]

This is how the accuracies in README.md get into benchmarks/results/.
"""

import argparse
import json
import os
from datetime import datetime
from pathlib import Path

import torch
from plot_log import latest_scalars

METRICS = ("acc/top1", "acc/top5", "acc/mean1")


def training_summary(work_dir: Path) -> dict:
    scalars = latest_scalars(work_dir)
    records = [json.loads(line) for line in scalars.read_text().splitlines()]
    validations = [r for r in records if "acc/top1" in r]
    started = datetime.strptime(scalars.parents[1].name, "%Y%m%d_%H%M%S")
    ended = datetime.fromtimestamp(scalars.stat().st_mtime)
    return {
        "epochs": max(r["epoch"] for r in records if "epoch" in r),
        "minutes, set-up and validation included": round(
            (ended - started).total_seconds() / 60, 1
        ),
        "validation acc/top1": [round(v["acc/top1"], 4) for v in validations],
    }


def test_summary(work_dir: Path) -> dict:
    tests = [
        path
        for path in sorted(work_dir.glob("*/*.json"))
        if path.stem == path.parent.name
    ]
    if not tests:
        raise SystemExit(f"{work_dir} has no test: run tools/test.py first")
    record = json.loads(tests[-1].read_text().splitlines()[-1])
    return {key: round(record[key], 4) for key in METRICS if key in record}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work_dir", type=Path)
    parser.add_argument("--out", type=Path, help="default: print")
    args = parser.parse_args()

    summary = {
        "config": args.work_dir.resolve().name,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "training": training_summary(args.work_dir),
        "test": test_summary(args.work_dir),
    }
    text = json.dumps(summary, indent=1) + "\n"
    if args.out:
        args.out.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
