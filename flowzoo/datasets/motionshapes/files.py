"""MotionShapes as video files: written once, whole or not at all."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from tqdm import tqdm

from ...io.locks import lock
from ...io.write_video import write_video
from ...paths import cache_root
from ...process_pool import available_cores, can_fork, worker_pool
from .clip import CLASSES, Clip, render_clip

SPLITS = ("train", "val", "test")

# To be raised whenever a change makes any frame or any file name different.
VERSION = 2

_MANIFEST = "manifest.json"
_BYTES_PER_PIXEL = 0.4  # of the encoded files, for the message about a full disk


@dataclasses.dataclass(frozen=True)
class MotionShapesSpec:
    """What a MotionShapes set consists of.

    Args:
        num_train, num_val, num_test: clips in each split; clip i has class i mod 8.
        num_frames: frames of each clip.
        size: height and width in pixels, even.
        seed: another seed makes another set of the same distribution.
    """

    num_train: int = 1600
    num_val: int = 240
    num_test: int = 400
    num_frames: int = 16
    size: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = dict(num_frames=2, size=32, seed=0)
        for name, value in dataclasses.asdict(self).items():
            least = lowest.get(name, 1)
            if not isinstance(value, int) or value < least:
                raise ValueError(
                    f"MotionShapes: {name} must be an integer of {least} or more, "
                    f"got {value!r}"
                )
        if self.size % 2:
            raise ValueError(f"MotionShapes: size must be even, got {self.size}")

    @property
    def folder_name(self) -> str:
        counts = f"{self.num_train}-{self.num_val}-{self.num_test}"
        return (
            f"motionshapes-v{VERSION}-{self.num_frames}x{self.size}-{counts}"
            f"-seed{self.seed}"
        )

    def num_clips(self, split: str) -> int:
        if split not in SPLITS:
            raise ValueError(f"MotionShapes has the splits {SPLITS}, got {split!r}")
        return getattr(self, f"num_{split}")

    def video_name(self, split: str, index: int) -> str:
        """Path of a clip relative to the set's folder."""
        return f"{split}/{index:05d}_{CLASSES[index % len(CLASSES)]}.mp4"

    def render(self, split: str, index: int) -> Clip:
        """The frames of a clip before encoding, and its exact flow."""
        if not 0 <= index < self.num_clips(split):
            raise IndexError(
                f"MotionShapes has {self.num_clips(split)} clips in {split!r}, "
                f"asked for number {index}"
            )
        seed = (self.seed, SPLITS.index(split), index)
        return render_clip(index % len(CLASSES), seed, self.num_frames, self.size)


def prepare(
    spec: MotionShapesSpec, root: str | Path | None = None, workers: int | None = None
) -> Path:
    """Make sure that a set exists, and return its folder.

    The folder holds ``train.txt``, ``val.txt``, ``test.txt`` (lines of
    ``relative/path.mp4 label``), ``classes.txt`` and the videos. It appears under
    its name only when complete. Processes that ask at the same time wait for the
    one that writes.

    Args:
        spec: what to generate.
        root: folder to generate in. Defaults to :func:`flowzoo.paths.cache_root`.
        workers: processes that render; the files do not depend on it. Defaults to
            one for each available core on Linux, and to one elsewhere.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
        RuntimeError: A folder of that name exists but is not a complete set.
    """
    root = Path(cache_root() if root is None else root).expanduser()
    target = root / spec.folder_name
    try:
        if _is_complete(target, spec):
            return target
        root.mkdir(parents=True, exist_ok=True)
        with lock(root / f".{spec.folder_name}.lock") as alone:
            if not _is_complete(target, spec):
                _generate(spec, target, workers, alone)
    except OSError as error:
        raise OSError(error.errno, _explain(error, spec, root)) from error
    return target


def _is_complete(target: Path, spec: MotionShapesSpec) -> bool:
    # In this order: another process may put the whole folder there in between.
    if not target.exists():
        return False
    try:
        manifest = json.loads((target / _MANIFEST).read_text())
    except (FileNotFoundError, ValueError):
        manifest = None
    if manifest != _manifest(spec):
        raise RuntimeError(
            f"{target} exists but is not a complete MotionShapes set: remove it, and "
            "it is generated anew"
        )
    return True


def _manifest(spec: MotionShapesSpec) -> dict:
    return dict(version=VERSION, **dataclasses.asdict(spec))


def _explain(error: OSError, spec: MotionShapesSpec, root: Path) -> str:
    reason = error.strerror or str(error)
    hint = "Set the environment variable FLOWZOO_DATA to a folder"
    if error.errno == errno.ENOSPC:
        clips = sum(map(spec.num_clips, SPLITS))
        needed = clips * spec.num_frames * spec.size**2 * _BYTES_PER_PIXEL / 2**20
        hint += f" with at least {needed:.0f} MB free"
    else:
        hint += " that can be written"
    return f"MotionShapes cannot be generated in {root}: {reason}. {hint}."


def _generate(
    spec: MotionShapesSpec, target: Path, workers: int | None, alone: bool
) -> None:
    """Write a set into a new folder and rename it to ``target``."""
    partial = f".{target.name}.partial-"
    if alone:  # nobody else is writing: these were left by runs that were killed
        for folder in target.parent.glob(f"{partial}*"):
            shutil.rmtree(folder, ignore_errors=True)
    # Not tempfile: its folders are closed to others who share the data.
    folder = target.with_name(f"{partial}{os.getpid()}-{uuid.uuid4().hex}")
    folder.mkdir()
    try:
        for split in SPLITS:
            (folder / split).mkdir()
            lines = (
                f"{spec.video_name(split, i)} {i % len(CLASSES)}\n"
                for i in range(spec.num_clips(split))
            )
            (folder / f"{split}.txt").write_text("".join(lines))
        (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
        _write_videos(spec, folder, workers)
        (folder / _MANIFEST).write_text(json.dumps(_manifest(spec), indent=1))
        try:
            folder.rename(target)
        except OSError:
            if not _is_complete(target, spec):
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_videos(spec: MotionShapesSpec, folder: Path, workers: int | None) -> None:
    clips = [(split, i) for split in SPLITS for i in range(spec.num_clips(split))]
    if workers is None:
        workers = available_cores() if can_fork() else 1
    progress = tqdm(
        desc="Generating MotionShapes",
        total=len(clips),
        unit="clip",
        mininterval=0.1 if sys.stderr.isatty() else 5,
    )
    workers = min(workers, len(clips))
    pool = worker_pool(workers) if workers > 1 else ThreadPoolExecutor(1)
    try:
        futures = [pool.submit(_write_clip, spec, folder, *clip) for clip in clips]
        with progress:
            for future in as_completed(futures):
                future.result()
                progress.update()
    except BrokenProcessPool as error:
        message = "a process that was writing MotionShapes was killed"
        raise RuntimeError(message) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _write_clip(spec: MotionShapesSpec, folder: Path, split: str, index: int) -> None:
    frames = spec.render(split, index).frames
    write_video(folder / spec.video_name(split, index), frames)
