"""Extraction of flow from videos against a Python loop over OpenCV, on the same cores.

    python benchmarks/bench_extract_flow.py VIDEOS [--count 20] [--jobs 2]

The loop decodes with OpenCV, computes its DualTVL1 with default parameters, one thread
in each of as many processes, and writes the same JPEG files. It takes seconds a pair,
so it does the first pairs of each video only; what is compared is time per pair, wall
and CPU. Then the time until the first flow of a fresh process whose kernels are not
compiled, and with them in the cache. Needs OpenCV with its contrib modules. Written to
benchmarks/results/extract_flow_cpu.json.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import timing

ROOT = Path(__file__).resolve().parents[1]
RESULTS = timing.RESULTS / "extract_flow_cpu.json"
FIRST_FLOW = """
import time
import torch
import flowzoo_kernels
frames = torch.randint(256, (1, 2, 240, 320), dtype=torch.uint8)
wall, cpu = time.perf_counter(), time.process_time()
flowzoo_kernels.tvl1_flow(frames, "fast")
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def opencv_loop(path: Path, out: Path, pairs: int) -> int:
    """What people write: one video, the flow of its first pairs."""
    cv2.setNumThreads(1)
    folder = out / path.stem
    folder.mkdir()
    method = cv2.optflow.createOptFlow_DualTVL1()
    capture, previous, done = cv2.VideoCapture(str(path)), None, 0
    while done < pairs:
        ok, frame = capture.read()
        if not ok:
            break
        h, w = frame.shape[:2]
        size = round(w * 256 / min(h, w)), round(h * 256 / min(h, w))
        gray = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), size)
        if previous is not None:
            done += 1
            flow = method.calc(previous, gray, None)
            images = np.clip((flow / 20 + 1) * 127.5, 0, 255).round().astype(np.uint8)
            for name, plane in zip("xy", np.moveaxis(images, 2, 0), strict=True):
                cv2.imwrite(str(folder / f"flow_{name}_{done:05}.jpg"), plane)
        previous = gray
    return done


def timed(function) -> dict:
    """Pairs, and wall and CPU seconds of child processes for each of them."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    pairs = function()
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "pairs": pairs,
        "wall seconds per pair": round(wall / pairs, 4),
        "CPU seconds per pair": round(cpu / pairs, 4),
    }


def extract(videos: list[Path], folder: Path, jobs: int) -> int:
    """tools/data/extract_flow.py, its start included."""
    listed = folder / "list.txt"
    listed.write_text("".join(f"{path.name} 0\n" for path in videos))
    out = folder / "ours"
    command = [sys.executable, ROOT / "tools/data/extract_flow.py", listed]
    command += ["--root", videos[0].parent, "--out", out, "--jobs", str(jobs)]
    subprocess.run(command, check=True, capture_output=True)
    lines = (out / "annotation.txt").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines)


def loop(videos: list[Path], folder: Path, jobs: int, pairs: int) -> int:
    out = folder / "opencv"
    out.mkdir()
    one = functools.partial(opencv_loop, out=out, pairs=pairs)
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        done = sum(pool.imap_unordered(one, videos))
        pool.close()
        pool.join()
    return done


def first_flow(cache: Path) -> dict[str, float]:
    """Wall and CPU seconds of the first call in a process."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", FIRST_FLOW],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu = map(float, run.stdout.split())
    return {"wall": round(wall, 2), "CPU": round(cpu, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=2, help="of the loop, each video")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    videos = sorted(p for p in args.videos.iterdir() if p.is_file())[: args.count]
    report = timing.environment("cpu", "numba") | {"opencv": cv2.__version__}
    report |= {"videos": len(videos), "jobs": args.jobs}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        report["first flow, seconds"] = {
            "nothing compiled": first_flow(folder / "cache"),
            "compiled": first_flow(folder / "cache"),
        }
        print(report, flush=True)
        rows = report["extraction"] = {}
        rows["OpenCV loop"] = timed(
            lambda: loop(videos, folder, args.jobs, args.pairs)
        ) | {"load": timing.load()}
        print(rows, flush=True)
        rows["extract_flow.py"] = timed(lambda: extract(videos, folder, args.jobs)) | {
            "load": timing.load()
        }
        for kind in ("wall", "CPU"):
            key = f"{kind} seconds per pair"
            ratio = rows["OpenCV loop"][key] / rows["extract_flow.py"][key]
            report[f"{kind} time, OpenCV's over ours"] = round(ratio, 1)
    print(json.dumps(report, indent=1))
    timing.write(args.out, report)


if __name__ == "__main__":
    main()
