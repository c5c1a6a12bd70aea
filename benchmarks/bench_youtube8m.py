"""Throughput and memory of YouTube-8M's reader and metrics, on synthetic records.

    python benchmarks/bench_youtube8m.py [--videos N] [--frames T] [--classes C]

writes files of SequenceExamples of the real format (rgb and audio bytes, id, labels;
every so many damaged), and then measures: finding the records, finding and checking
them, reading and dequantizing every video, and the four metrics of as many random
predictions. Prints them and writes benchmarks/results/youtube8m_cpu.json.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import timing
import torch

from flowzoo.datasets import YouTube8MDataset
from flowzoo.datasets.transforms import PackFeatures
from flowzoo.evaluation import YouTube8MMetric
from flowzoo.io.tfrecord import record_bytes, sequence_example_class

PER_FILE = 1000


def add_frames(example, name: str, levels: np.ndarray) -> None:
    entry = example.feature_lists.feature_list.add(key=name)
    for row in levels:
        entry.value.feature.add().bytes_list.value.append(row.tobytes())


def video(name: str, labels: list[int], levels: np.ndarray) -> bytes:
    example = sequence_example_class()()
    entry = example.context.feature.add(key="id")
    entry.value.bytes_list.value.append(name.encode())
    entry = example.context.feature.add(key="labels")
    entry.value.int64_list.value.extend(labels)
    add_frames(example, "rgb", levels)
    add_frames(example, "audio", levels[:, :128])
    return example.SerializeToString()


def write_files(folder: Path, args: argparse.Namespace) -> int:
    """Files with ``args.videos`` records; returns how many of them are damaged."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (args.frames, 1024), np.uint8)
    damaged = 0
    for first in range(0, args.videos, PER_FILE):
        records = []
        for number in range(first, min(first + PER_FILE, args.videos)):
            labels = rng.choice(args.classes, rng.integers(1, 6), replace=False)
            data = video(f"{number:08d}", labels.tolist(), np.roll(levels, number))
            records.append(bytearray(record_bytes(data)))
        if args.damage:
            records[len(records) // 2][-5] ^= 1  # the last byte of the data
            records[-1] = records[-1][:-100]  # the end of the file is missing
            damaged += 2
        (folder / f"train{first:08d}.tfrecord").write_bytes(b"".join(records))
    return damaged


def timed(function: Callable) -> tuple[float, object]:
    """Seconds of a call, which cannot be repeated, and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def peak_since(before: int) -> float:
    """MiB by which the peak has grown (Linux)."""
    return (timing.memory(peak=True) - before) / 2**20


def read_all(data: YouTube8MDataset) -> int:
    return sum(data[i]["inputs"]["appearance"].shape[0] for i in range(len(data)))


def fill_metric(metric: YouTube8MMetric, videos: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(256, classes, generator=generator)
    target = torch.zeros(classes)
    target[torch.randperm(classes, generator=generator)[:3]] = 1
    for number in range(videos):
        score = scores[number % 256].roll(number)
        metric.process(None, [dict(pred_score=score, gt_label=target.roll(number))])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=int, default=2000, help="read")
    parser.add_argument("--metric-videos", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=230, help="of a video")
    parser.add_argument("--classes", type=int, default=3862)
    parser.add_argument("--damage", action="store_true", help="2 records per file")
    default = timing.RESULTS / "youtube8m_cpu.json"
    parser.add_argument("--out", type=Path, default=default)
    args = parser.parse_args()
    report = dict(
        videos=args.videos,
        metric_videos=args.metric_videos,
        frames=args.frames,
        classes=args.classes,
        **timing.environment("cpu"),
    )
    pipeline = [PackFeatures(num_classes=args.classes)]
    options = dict(pipeline=pipeline, num_classes=args.classes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report["damaged"] = write_files(folder, args)
        files = str(folder / "*.tfrecord")
        size = sum(path.stat().st_size for path in folder.iterdir())
        report["megabytes"] = size / 1e6
        before = timing.reset_peak()
        seconds, data = timed(lambda: YouTube8MDataset(files, **options))
        report["index_videos_per_second"] = len(data) / seconds
        seconds, checked = timed(
            lambda: YouTube8MDataset(files, test_mode=True, **options)
        )
        report["check_videos_per_second"] = len(checked) / seconds
        report["check_megabytes_per_second"] = size / 1e6 / seconds
        assert checked.num_skipped == report["damaged"]
        seconds, frames = timed(lambda: read_all(checked))
        assert frames == args.frames * len(checked)
        report["read_videos_per_second"] = len(checked) / seconds
        report["read_peak_mib_more"] = peak_since(before)
    metric, before = YouTube8MMetric(), timing.reset_peak()
    seconds, _ = timed(lambda: fill_metric(metric, args.metric_videos, args.classes))
    report["metric_videos_per_second"] = args.metric_videos / seconds
    payload = sum(len(row[""]) for row in metric.results)
    report["metric_payload_bytes_per_video"] = payload / args.metric_videos
    report["metric_peak_mib_more"] = peak_since(before)
    seconds, values = timed(lambda: metric.evaluate(args.metric_videos))
    report["metric_compute_seconds"] = seconds
    report["metric_values"] = values
    report["metric_peak_mib_more_with_result"] = peak_since(before)
    print(json.dumps(report, indent=1))
    timing.write(args.out, report)


if __name__ == "__main__":
    main()
