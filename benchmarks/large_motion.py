"""Flow between pairs of images with true flow: a MotionNet beside other methods.

    python benchmarks/large_motion.py NAME --middlebury DIR --flyingchairs DIR

NAME is a motion estimator of the zoo; with --checkpoint, a config. For each pair the
mean end-point error of zero flow, OpenCV's DIS, TV-L1 (presets fast and opencv) and the
network, their means over pairs, and the milliseconds of one thread's CPU time.
benchmarks/results/NAME_pairs.json and NAME_pairs.png are written: first frame, flow of
the network, true flow.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import time
from pathlib import Path

import cv2
import numpy as np
import timing
import torch

from flowzoo.evaluation.flow_methods import FlowMethodError, flow_method
from flowzoo.visualization.flow_color import flow_to_color

ROOT = Path(__file__).parents[1]
HEIGHT = 120  # of a pair in the image


def compare(name: str, methods: dict, pairs: list, tools: dict) -> tuple[dict, list]:
    """Errors and times of a dataset's pairs, and rows of the image."""
    errors = {method: {} for method in methods}
    times = {method: [] for method in methods}
    rows = []
    for pair in pairs:
        frames = [tools["read_frame"](path) for path in (pair.first, pair.second)]
        truth = tools["read_flow"](pair.flow)
        for method, run in methods.items():
            started = time.process_time()
            flow = run(*frames)
            times[method].append(1000 * (time.process_time() - started))
            error = np.linalg.norm(flow - truth, axis=2)
            errors[method][pair.name] = round(float(np.nanmean(error)), 3)
        rows.append(draw(frames[0], flow, truth))
    found = {
        "end-point error in pixels": errors,
        "mean over pairs": {
            method: round(float(np.mean(list(own.values()))), 3)
            for method, own in errors.items()
        },
        "CPU milliseconds a pair, median": {
            method: round(float(np.median(own)), 1) for method, own in times.items()
        },
    }
    print(name, json.dumps(found["mean over pairs"]))
    return found, rows


def draw(first: np.ndarray, flow: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The first frame, the flow and the true one, in one scale of colors."""
    largest = float(np.nanmax(np.linalg.norm(truth, axis=2)))
    flows = [flow_to_color(f.transpose(2, 0, 1), largest) for f in (flow, truth)]
    row = np.concatenate([first, *flows], axis=1)
    width = round(row.shape[1] * HEIGHT / row.shape[0])
    return cv2.resize(row, (width, HEIGHT), interpolation=cv2.INTER_AREA)


def write_picture(path: Path, rows: list[np.ndarray]) -> None:
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(r, ((0, 4), (0, width - r.shape[1]), (0, 0))) for r in rows]
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--checkpoint")
    parser.add_argument("--middlebury", type=Path, required=True, metavar="DIR")
    parser.add_argument("--flyingchairs", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    tools = runpy.run_path(str(ROOT / "tools" / "analysis" / "evaluate_flow.py"))
    datasets = {}
    for name in ("middlebury", "flyingchairs"):
        datasets[name] = list(tools["DATASETS"][name](getattr(args, name)))
        if not datasets[name]:
            parser.error(f"no pairs with true flow below {getattr(args, name)}")
    try:
        timing.check_writable(timing.OUTPUT)
        network = flow_method(args.name, checkpoint=args.checkpoint)
    except (FlowMethodError, OSError) as error:
        parser.error(str(error))
    methods = {
        "zero": flow_method("zero"),
        "DIS": flow_method("dis"),
        "TV-L1 fast": flow_method("tvl1", "fast"),
        "TV-L1 opencv": flow_method("tvl1"),
        "network": network,
    }
    found, rows = {"network": args.name}, []
    for name, pairs in datasets.items():
        for run in methods.values():  # compiled before it is timed
            run(*(tools["read_frame"](p) for p in (pairs[0].first, pairs[0].second)))
        found[name], own = compare(name, methods, pairs, tools)
        rows += own
    found["machine"] = {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }
    stem = Path(args.name).stem
    timing.write(timing.OUTPUT / f"{stem}_pairs.json", found)
    write_picture(timing.OUTPUT / f"{stem}_pairs.png", rows)


if __name__ == "__main__":
    main()
