"""Write the TV-L1 flow of the videos of an annotation file.

    python tools/data/extract_flow.py ANNOTATION --root VIDEOS --out DIR

ANNOTATION has lines of ``path label`` (mmaction2's ``VideoDataset``), or of a path and
several labels. DIR/PATH, without
the file's suffix and with underscores for spaces, gets ``flow_x_00001.jpg``,
``flow_y_00001.jpg`` and so on. DIR/annotation.txt has lines of ``path pairs label`` for
mmaction2's ``RawframeDataset`` with modality='Flow', start_index=1,
filename_tmpl='flow_{}_{:05}.jpg'. With ``--prefix ''`` files are called
``x_00001.jpg``, as mmaction2's own configs for flow expect. DIR/manifest.json has the
settings.

Run it again after an interruption: what is complete is kept. ``--verify`` compares all
files with their checksums; delete the folders that it names and run the tool again.
Videos that cannot be read are named in DIR/unreadable.txt and left out.
``--shard 3/16`` takes the third of 16 parts, for many machines; their lists are called
annotation_3_of_16.txt. For Slurm:

    sbatch --array=1-16 --wrap 'python tools/data/extract_flow.py ANNOTATION \\
        --root VIDEOS --out DIR --shard $SLURM_ARRAY_TASK_ID/16'
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import re
import sys
from concurrent.futures import BrokenExecutor, as_completed
from dataclasses import asdict, fields
from pathlib import Path

import torch

from flowzoo.datasets.preparation.flow_files import (
    FORMATS,
    FlowSettings,
    WritingError,
    alone,
    extract,
    fault,
    read_info,
)
from flowzoo.devices import device_argument
from flowzoo.interrupts import run_tool
from flowzoo.io.text import read_lines
from flowzoo.io.video import VideoError
from flowzoo.process_pool import available_cores, worker_pool
from flowzoo.progress import Progress
from flowzoo_kernels import tvl1_flow
from flowzoo_kernels.tvl1_flow.options import PRESETS

# A path that may have spaces, up to its suffix, and labels, which are words or numbers.
LINE = re.compile(r"(.*\.[^\s.]*[^\s.\d][^\s.]*|\S+)((?:\s+\S+)*)")


def read_annotation(path: Path) -> list[tuple[str, str]]:
    """Each video once: its path and its labels."""
    videos = {}
    for line in read_lines(path):
        if line.strip():
            name, labels = LINE.fullmatch(line.strip()).groups()
            videos.setdefault(name, " ".join(labels.split()))
    return list(videos.items())


def parse_shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise argparse.ArgumentTypeError(f"{text!r} is not like 3/16")


def check_manifest(out: Path, settings: FlowSettings) -> None:
    """Write the settings, or exit if the folder has files of other ones."""
    path, wanted = out / "manifest.json", asdict(settings)
    with alone(path):
        if not path.exists():
            part = path.with_suffix(".part")
            part.write_text(json.dumps(wanted, indent=1) + "\n")
            part.replace(path)
    try:
        existing = json.loads(path.read_text())
    except ValueError:
        sys.exit(f"{path} is damaged; delete it, or take another --out")
    differ = [k for k in wanted if wanted[k] != existing.get(k)]
    if differ:
        sys.exit(
            f"{path} has "
            + ", ".join(f"{k}={existing.get(k)!r}" for k in differ)
            + "; take another --out or the same settings"
        )


def _job(video: Path, target: Path, settings: FlowSettings, device: str) -> str | None:
    """What keeps a video from being extracted, if anything."""
    torch.set_num_threads(1)
    try:
        extract(video, target, settings, device)
    except VideoError as error:
        return str(error)
    return None


def run_jobs(videos, args, settings: FlowSettings) -> dict[str, str]:
    """Extract what is missing. Returns the unreadable videos, and why."""
    unreadable = {}
    try:
        waiting = [
            name for name, _ in videos if read_info(target_of(args.out, name)) is None
        ]
    except ValueError as error:
        sys.exit(f"{error}; delete its folder and run this again")
    if waiting and args.device == "cpu":  # compile once, not in every worker
        tvl1_flow(torch.zeros(1, 2, 16, 16, dtype=torch.uint8), settings.preset)
    progress = Progress(total=len(waiting), unit="video")
    with worker_pool(args.jobs) as pool, progress:
        jobs = {}
        for name in waiting:
            paths = args.root / name, target_of(args.out, name)
            jobs[pool.submit(_job, *paths, settings, args.device)] = name
        try:
            for job in as_completed(jobs):
                if (reason := job.result()) is not None:
                    unreadable[jobs[job]] = reason
                    progress.write(f"left out: {reason}", file=sys.stderr)
                progress.update()
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.kill()  # what it has begun is begun again by the next run
            if isinstance(error, WritingError | BrokenExecutor):
                sys.exit(f"{error}; run this again to continue")
            raise
    return unreadable


def write_flow(videos, args, settings: FlowSettings, suffix: str) -> None:
    """The flow of the videos and their lists, whose names have the suffix."""
    unreadable = run_jobs(videos, args, settings)
    lines = []
    for name, label in videos:
        if name not in unreadable:
            pairs = read_info(target_of(args.out, name))["pairs"]
            folder = target_of(args.out, name).relative_to(args.out)
            lines.append(f"{folder} {pairs} {label}".rstrip())
    (args.out / f"annotation{suffix}.txt").write_text("\n".join([*lines, ""]))
    reasons = [f"{name}: {why}" for name, why in unreadable.items()]
    (args.out / f"unreadable{suffix}.txt").write_text("\n".join([*reasons, ""]))
    print(f"{len(lines)} videos with flow, {len(unreadable)} unreadable")


def target_of(out: Path, name: str) -> Path:
    """The folder of a video's flow; RawframeDataset takes no spaces."""
    relative = Path(re.sub(r"\s", "_", name)).with_suffix("")
    if relative.is_absolute() or ".." in relative.parts:
        sys.exit(f"{name}: paths have to be relative to --root, without '..'")
    return out / relative


def check_targets(out: Path, names: list[str]) -> None:
    """Exit where two videos would have one folder."""
    owners = {}
    for name in names:
        owner = owners.setdefault(target_of(out, name), name)
        if owner != name:
            sys.exit(f"{owner} and {name} would have the same folder; rename one")
    for target, name in owners.items():
        for parent in target.parents:
            if parent in owners:
                sys.exit(
                    f"the folder of {name} would lie in that of {owners[parent]}; "
                    "rename one"
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("annotation", type=Path, metavar="ANNOTATION")
    parser.add_argument("--root", type=Path, required=True, metavar="VIDEOS")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    defaults = {field.name: field.default for field in fields(FlowSettings)}
    parser.add_argument("--preset", choices=tuple(PRESETS), default=defaults["preset"])
    parser.add_argument(
        "--short-side", type=int, default=defaults["short_side"], help="0: as it is"
    )
    parser.add_argument("--bound", type=float, default=defaults["bound"])
    parser.add_argument("--step", type=int, default=defaults["step"])
    parser.add_argument("--format", choices=FORMATS, default=defaults["format"])
    parser.add_argument("--quality", type=int, default=defaults["quality"], help="jpg")
    parser.add_argument("--prefix", default=defaults["prefix"], help="jpg")
    parser.add_argument("--jobs", type=int, default=available_cores())
    parser.add_argument("--device", type=device_argument, default="cpu")
    parser.add_argument("--shard", type=parse_shard, default=(1, 1), metavar="I/N")
    parser.add_argument("--verify", action="store_true", help="read what was written")
    args = parser.parse_args()
    if not 0 < args.bound < math.inf or args.step < 1 or args.jobs < 1:
        parser.error("--bound, --step and --jobs have to be positive")
    if args.short_side < 0 or not 0 <= args.quality <= 100:
        parser.error("--short-side is at least 0, --quality between 0 and 100")
    if Path(args.prefix).name != args.prefix:
        parser.error("--prefix begins names of files; it may not have folders")
    for path, exists in ((args.annotation, Path.is_file), (args.root, Path.is_dir)):
        if not exists(path):
            sys.exit(f"{path} does not exist")

    number, shards = args.shard
    videos = read_annotation(args.annotation)
    check_targets(args.out, [name for name, _ in videos])
    videos = videos[number - 1 :: shards]
    settings = FlowSettings(**{name: getattr(args, name) for name in defaults})
    suffix = f"_{number}_of_{shards}" if shards > 1 else ""
    if args.verify:
        faults = {
            name: fault(target_of(args.out, name)) for name, _ in Progress(videos)
        }
        bad = [f"{name}: {why}" for name, why in faults.items() if why]
        print("\n".join([*bad, f"{len(videos) - len(bad)} of {len(videos)} complete"]))
        sys.exit(1 if bad else 0)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        check_manifest(args.out, settings)
        write_flow(videos, args, settings, suffix)
    except OSError as error:
        sys.exit(f"cannot write in {args.out}: {error.strerror or error}")


if __name__ == "__main__":
    run_tool(main, "run it again to continue")
