"""Time of reading videos, against decord, OpenCV and another checkout of FlowZoo.

    python benchmarks/bench_video.py CLIPS [--before CHECKOUT] [--rounds N]

measures on one core, with one decoding thread:

- the videos of the folder CLIPS, as for training (8 frames of a random clip) and for
  testing (32 frames from all over the video);
- 25 clips of 8 frames, evenly spread over a video of 10 minutes (H.264 with B-frames,
  key frames up to 250 frames apart, made on first use), in .mp4, .mkv and .ts, from
  opening to the RGB frames.

Each reader runs in a process of its own, in turns; the times are processor seconds,
medians over the rounds. FlowZoo reads each video as if for the first time. Writes
benchmarks/results/video_cpu.json.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FRAMES = 15_000
VIDEOS = (".mp4", ".mkv", ".ts")


def flowzoo_reader():
    import flowzoo.datasets  # noqa: F401
    from flowzoo.datasets.transforms import DecodeFrames, OpenVideo

    open_video, decode = OpenVideo(), DecodeFrames()

    def read(path, choose):
        forget_timelines()
        results = open_video(dict(filename=str(path)))
        results["frame_inds"] = choose(results["total_frames"])
        return len(decode(results)["imgs"])

    return read


def forget_timelines():
    """Read the packets of a video each time, as if it was met for the first time."""
    module = sys.modules.get("flowzoo.io.video_timeline")
    if module:
        module._scan_once.cache_clear()


def decord_reader():
    import decord

    def read(path, choose):
        video = decord.VideoReader(str(path), num_threads=1)
        return len(video.get_batch(choose(len(video))).asnumpy())

    return read


def opencv_reader():
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
    import cv2

    cv2.setNumThreads(1)

    def read(path, choose):
        capture = cv2.VideoCapture(str(path))
        wanted = choose(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        place, images = 0, []
        for number in wanted:
            if not 0 <= number - place < 32:
                capture.set(cv2.CAP_PROP_POS_FRAMES, number)
                place = number
            while place < number:
                capture.grab()
                place += 1
            found, image = capture.read()
            place += 1
            if found:
                images.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        return len(images)

    return read


READERS = dict(flowzoo=flowzoo_reader, decord=decord_reader, opencv=opencv_reader)


def training_clip(rng):
    def choose(total):
        start = rng.randrange(max(1, total - 32))
        return [min(start + 4 * i, total - 1) for i in range(8)]

    return choose


def spread_frames(total):
    return [i * (total - 3) // 31 for i in range(32)]


def many_clips(total):
    starts = [i * (total - 20) // 24 for i in range(25)]
    return [start + 2 * i for start in starts for i in range(8)]


def work(reader, task, paths):
    """Processor seconds of a task, once to warm up and once more."""
    read = READERS[reader]()
    for _ in range(2):
        rng = random.Random(0)
        choices = dict(
            training=training_clip(rng), testing=spread_frames, random_access=many_clips
        )
        start = time.process_time()
        frames = [read(path, choices[task]) for path in paths]
        seconds = time.process_time() - start
    print(json.dumps(dict(seconds=seconds, frames=sum(frames))))


def write_long_videos(folder):
    import av
    import numpy as np

    paths = [folder / f"long{suffix}" for suffix in VIDEOS]
    if all(path.exists() for path in paths):
        return paths
    texture = np.random.default_rng(0).integers(0, 255, (32, 40, 3), np.uint8)
    texture = texture.repeat(8, 0).repeat(8, 1)[:240, :320]
    with av.open(str(paths[0]), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = dict(preset="veryfast")
        for number in range(FRAMES):
            image = np.roll(texture, (number, 3 * number), (0, 1))
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    for path in paths[1:]:
        with av.open(str(paths[0])) as source, av.open(str(path), "w") as copy:
            stream = source.streams.video[0]
            copied = copy.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.size:
                    packet.stream = copied
                    copy.mux(packet)
    return paths


def run(reader, task, paths, checkout):
    environment = dict(os.environ, PYTHONPATH=str(checkout), OMP_NUM_THREADS="1")
    command = [sys.executable, __file__, "--work", reader, task, *map(str, paths)]
    result = subprocess.run(
        command,
        env=environment,
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=100,
    )
    if result.returncode:
        raise RuntimeError(f"{reader}, {task}: {result.stderr[-2000:]}")
    return json.loads(result.stdout.splitlines()[-1])


def measure(task, paths, args):
    contenders = {name: (name, ROOT) for name in READERS}
    if args.before:
        contenders["flowzoo_before"] = ("flowzoo", args.before.resolve())
    seconds = {name: [] for name in contenders}
    frames, failed = {}, {}
    for _ in range(args.rounds):
        for name, (reader, checkout) in contenders.items():
            if name in failed:
                continue
            try:
                result = run(reader, task, paths, checkout)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                failed[name] = type(error).__name__
                continue
            seconds[name].append(result["seconds"])
            frames[name] = result["frames"]
    row = {
        name: dict(
            median=statistics.median(times),
            smallest=min(times),
            largest=max(times),
            frames=frames[name],
        )
        for name, times in seconds.items()
        if times
    }
    row.update({name: dict(failed=reason) for name, reason in failed.items()})
    print(task, json.dumps(row, indent=1), flush=True)
    return row


def main():
    import timing  # and torch, which the processes that are measured do not need

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, help="folder of videos")
    parser.add_argument("--before", type=Path, help="another checkout of FlowZoo")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    clips = sorted(path.resolve() for path in args.clips.iterdir())
    clips = [path for path in clips if path.suffix in (".avi", ".mp4", ".mkv", ".webm")]
    folder = Path(tempfile.gettempdir()) / "flowzoo_bench_video"
    folder.mkdir(exist_ok=True)
    results = dict(
        rounds=args.rounds,
        clips=len(clips),
        **timing.environment("cpu"),
    )
    for task in ("training", "testing"):
        results[task] = measure(task, clips, args)
    for path in write_long_videos(folder):
        results[f"10 minutes{path.suffix}"] = measure("random_access", [path], args)
    timing.write(timing.RESULTS / "video_cpu.json", results)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main()
