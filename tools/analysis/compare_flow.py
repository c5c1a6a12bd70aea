"""How well the flow of several methods explains your videos, without true flow.

    python tools/analysis/compare_flow.py METHOD ... --videos PATH ...

METHOD: tvl1 (with --preset), dis (OpenCV's DIS), zero, one of the zoo's MotionNets for
two frames, or CONFIG=CHECKPOINT, one of yours. PATH: a video, or a folder of which all
videos are taken. The second frame of each pair, --interval frames after the first one,
is warped back by the flow and compared with the first one: the table has the mean
absolute difference in gray levels, which for zero is that of the frames as they are,
and the median CPU milliseconds a pair, on one thread.

It tells which MotionNet sees the motion in videos like yours before you train on its
flow. A small difference is not true flow: what is hidden in the second frame can be
rebuilt from wrong places.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

import flowzoo  # noqa: F401
from flowzoo.datasets.preparation.sources import find_videos
from flowzoo.devices import device_argument
from flowzoo.evaluation.flow_methods import FlowMethodError, flow_method
from flowzoo.evaluation.flow_metrics import photometric_error
from flowzoo.interrupts import run_tool
from flowzoo.io.images import ToRGB
from flowzoo.io.video import VideoError, VideoReader
from flowzoo_kernels.tvl1_flow.options import PRESETS


def split_method(method: str) -> tuple[str, str | None]:
    """The name or config, and the checkpoint; paths may have ``=``, too."""
    config, ending, checkpoint = method.partition(".py=")
    if ending:
        return f"{config}.py", checkpoint
    name, ending, checkpoint = method.partition("=")
    return name, checkpoint if ending else None


def list_videos(paths: list[Path]) -> list[Path]:
    """The files, and those below the folders."""
    videos = []
    for path in paths:
        videos += find_videos(path) if path.is_dir() else [path]
    return videos


def read_pairs(
    path: Path, interval: int, number: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of frames (H, W, 3) in RGB, from all over a video."""
    with VideoReader(path) as video:
        last = video.frame_count - interval
        if last < 1:
            raise VideoError(f"{path} has no two frames {interval} apart")
        number = min(number, last)
        firsts = [(2 * i + 1) * last // (2 * number) for i in range(number)]
        to_rgb = ToRGB()
        numbers = {*firsts, *(n + interval for n in firsts)}
        frames = {n: to_rgb(frame) for n, frame in video.read(numbers)}
    return [(frames[n], frames[n + interval]) for n in firsts]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="+", metavar="METHOD")
    parser.add_argument("--videos", type=Path, nargs="+", required=True, metavar="PATH")
    parser.add_argument("--interval", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=8, help="of each video")
    parser.add_argument("--preset", default="opencv", choices=tuple(PRESETS))
    parser.add_argument("--device", type=device_argument, default="cpu")
    args = parser.parse_args()
    for name in ("interval", "pairs"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} {getattr(args, name)}: at least 1 is needed")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        methods = {}
        for method in args.methods:
            name, checkpoint = split_method(method)
            methods[method] = flow_method(name, args.preset, checkpoint, args.device)
    except FlowMethodError as error:
        parser.error(f"METHOD {error}")
    videos = list_videos(args.videos)
    if not videos:
        parser.error(f"no videos below {', '.join(map(str, args.videos))}")
    errors = {name: [] for name in methods}
    times = {name: [] for name in methods}
    left_out = 0
    for path in tqdm(videos):
        try:
            pairs = read_pairs(path, args.interval, args.pairs)
        except VideoError as error:
            left_out += 1
            tqdm.write(f"left out: {error}", file=sys.stderr)
            continue
        for frames in pairs:
            first, second = (
                torch.from_numpy(frame).permute(2, 0, 1)[None].float()
                for frame in frames
            )
            for name, method in methods.items():
                started = time.process_time()
                flow = method(*frames)
                times[name].append(1000 * (time.process_time() - started))
                flow = torch.from_numpy(flow).permute(2, 0, 1)[None].float()
                errors[name].append(photometric_error(first, second, flow).item())
    if left_out == len(videos):
        sys.exit("no video could be read")
    print("| method | difference in gray levels | CPU ms a pair |\n| --- | --- | --- |")
    for name in sorted(methods, key=lambda name: statistics.mean(errors[name])):
        print(
            f"| {name} | {statistics.mean(errors[name]):.2f} "
            f"| {statistics.median(times[name]):.1f} |"
        )
    print(f"{len(errors[name])} pairs of {len(videos) - left_out} videos", end="")
    print(f"; {left_out} were left out" if left_out else "")


if __name__ == "__main__":
    run_tool(main)
