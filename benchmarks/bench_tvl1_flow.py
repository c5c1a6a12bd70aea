"""TV-L1 flow on the CPU against OpenCV's, with errors where the flow is known.

    python benchmarks/bench_tvl1_flow.py --middlebury DIR --videos DIR

Pairs of Middlebury (640x480 where it is so) and the first five frames of videos
(320x240 for UCF101), in one process, alternating: OpenCV, one pair after the other, and
`opencv` and `fast`, all pairs in one call, which is how they use several threads, and
REPEATS calls a turn, as a video is a row of clips: the first one after a pause can
take twice as long. Times are medians of a turn divided by its pairs, with one thread
each and with all threads each. Needs OpenCV with its contrib modules.
Written to benchmarks/results/tvl1_flow_cpu.json.
"""

from __future__ import annotations

import argparse
import functools
import os
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import timing
import torch

from flowzoo_kernels import tvl1_flow

REPEATS = {"OpenCV": 1, "opencv": 5, "fast": 5}
RESULTS = timing.RESULTS / "tvl1_flow_cpu.json"


def read_flow(path: Path) -> np.ndarray:
    """A .flo file, NaN where the flow is not known."""
    flow = cv2.readOpticalFlow(str(path))
    flow[np.abs(flow).max(axis=2) > 1e9] = np.nan
    return flow


def endpoint_error(flow: np.ndarray, truth: np.ndarray) -> float:
    return float(np.nanmean(np.linalg.norm(flow - truth, axis=2)))


def methods() -> dict:
    opencv = cv2.optflow.createOptFlow_DualTVL1()

    def ours(preset):
        def run(clip):
            return tvl1_flow(torch.from_numpy(clip)[None], preset)[0]

        return lambda clip: run(clip).permute(1, 2, 3, 0).numpy()

    return {
        "OpenCV": lambda clip: [opencv.calc(*pair, None) for pair in pairwise(clip)],
        "opencv": ours("opencv"),
        "fast": ours("fast"),
    }


def measure(clip: np.ndarray, truth: np.ndarray | None, threads: int, runs: int):
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    runs_of = {name: functools.partial(run, clip) for name, run in methods().items()}

    def turn(name):
        for _ in range(REPEATS[name]):
            runs_of[name]()

    turns = {name: functools.partial(turn, name) for name in runs_of}
    times = timing.alternate(turns, runs)
    times = {k: [v / REPEATS[k] for v in values] for k, values in times.items()}
    errors = {}
    if truth is not None:
        errors = {k: endpoint_error(run()[0], truth) for k, run in runs_of.items()}
    count, height, width = clip.shape
    row = {"threads": threads, "pairs": count - 1, "height": height, "width": width}
    per_pair = {k: [v / (count - 1) for v in values] for k, values in times.items()}
    row["seconds"] = timing.medians(per_pair)
    ratios = {
        k: [a / b for a, b in zip(times["OpenCV"], v, strict=True)]
        for k, v in times.items()
    }
    row["speedup"] = timing.medians(ratios, 1)
    row["error"] = {k: round(v, 4) for k, v in errors.items()}
    return row


def clips(middlebury: Path | None, videos: Path | None, count: int):
    for folder in sorted((middlebury / "other-data").iterdir()) if middlebury else ():
        frames = [cv2.imread(str(folder / f"frame{i}.png"), 0) for i in (10, 11)]
        flow = middlebury / "other-gt-flow" / folder.name / "flow10.flo"
        yield folder.name, np.stack(frames), read_flow(flow)
    for path in sorted(videos.iterdir())[:count] if videos else ():
        capture = cv2.VideoCapture(str(path))
        frames = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2GRAY) for _ in range(5)]
        yield path.stem, np.stack(frames), None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--middlebury", type=Path)
    parser.add_argument("--videos", type=Path)
    parser.add_argument("--count", type=int, default=5, help="videos")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    everything = os.cpu_count()
    rows = []
    for name, clip, truth in clips(args.middlebury, args.videos, args.count):
        for threads in (1, everything):
            row = {"name": name, **measure(clip, truth, threads, args.runs)}
            row["load"] = timing.load()
            rows.append(row)
            print(row, flush=True)
    report = timing.environment("cpu", "numba") | {"opencv": cv2.__version__}
    report["rows"] = rows
    timing.write(args.out, report)


if __name__ == "__main__":
    main()
