"""Plot training curves of one or several runs.

mmaction2's analyze_logs.py does not read the logs that mmengine writes today.
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def latest_scalars(work_dir: Path) -> Path:
    """The log of the latest run in a work directory."""
    logs = sorted(work_dir.glob("*/vis_data/scalars.json"))
    if not logs:
        raise SystemExit(f"no */vis_data/scalars.json in {work_dir.resolve()}")
    return logs[-1]


def read_curve(log: Path, key: str) -> tuple[list[int], list[float]]:
    """Steps and values of one key."""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    points = [(r["step"], r[key]) for r in records if key in r]
    if not points:
        known = sorted({name for r in records for name in r})
        raise SystemExit(f"{log} has no {key!r}; it has {', '.join(known)}")
    steps, values = zip(*points, strict=True)
    return list(steps), list(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work_dirs", type=Path, nargs="+", metavar="WORK_DIR")
    parser.add_argument("--keys", nargs="+", default=["loss"], metavar="KEY")
    parser.add_argument("--out", type=Path, default=Path("curves.png"))
    args = parser.parse_args()

    figure, axes = plt.subplots(len(args.keys), squeeze=False, sharex=False)
    figure.set_size_inches(8, 3 * len(args.keys))
    for axis, key in zip(axes[:, 0], args.keys, strict=True):
        for work_dir in args.work_dirs:
            axis.plot(*read_curve(latest_scalars(work_dir), key), label=work_dir.name)
        axis.set_ylabel(key)
        axis.legend()
    axes[-1, 0].set_xlabel("iteration (validation: epoch)")
    figure.tight_layout()
    figure.savefig(args.out, dpi=150)
    print(args.out)


if __name__ == "__main__":
    main()
