"""Decoding of every video, in parallel; continues after an interruption."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path

import av
from tqdm import tqdm

from flowzoo.io.video import MAX_MISSING, VideoError, VideoReader
from flowzoo.process_pool import available_cores, worker_pool

from .records import PreparationError

# Seconds by which a video without a frame count may be shorter than it says.
_TOLERANCE = 1.0
# Containers that tell when their streams end, not how long they are.
_WITH_END = {"matroska,webm", "asf", "wtv", "nut"}


@dataclass(frozen=True)
class Verdict:
    """What decoding a video found.

    Args:
        fault: '', or what is wrong.
        frames: that could be decoded.
        seconds: from the start to the end of the last of them; None: no time stamps.
    """

    fault: str
    frames: int = 0
    seconds: float | None = None


def check_video(path: str) -> Verdict:
    """Decode all frames of a file.

    The fault begins with 'undecodable' or 'truncated'.
    """
    frames, times = 0, []
    try:
        with VideoReader(path) as reader:
            promised, (start, end) = reader.promised_frames, _span(reader)
            has_count, rate = reader.stream.frames > 0, reader.frame_rate
            for frame in reader.frames():
                frames += 1
                if frame.pts is not None:
                    times.append(frame.time)
    except VideoError as error:
        return Verdict(f"undecodable: {error}", frames)
    if not frames:
        return Verdict("undecodable: no frame")
    seconds = None
    if times:
        period = 1 / rate if rate else 0
        first, last = min(times), max(times)
        seconds = round(last + period - first, 6)
    if promised > frames + MAX_MISSING:
        return Verdict(f"truncated: {frames} of {promised} frames", frames, seconds)
    if has_count or None in (end, seconds) or last + period >= end - _TOLERANCE:
        return Verdict("", frames, seconds)
    found = f"{last + period - start:.1f} of {end - start:.1f} s"
    return Verdict(f"truncated: {found}", frames, seconds)


def verify(
    folder: Path, paths: list[str], journal: Path, jobs: int | None = None
) -> dict[str, Verdict]:
    """Decode videos that the journal does not have.

    A line is appended to the journal after each video, so that a run that was
    interrupted continues where it stopped. A file whose size or time of change differs
    from the journal's is decoded again.

    Args:
        folder: that paths are relative to.
        paths: of the videos.
        journal: file of JSON lines.
        jobs: processes; one per core unless given.

    Returns:
        The verdict on each path.
    """
    known = _read_journal(journal)
    verdicts, todo = {}, []
    for path in paths:
        try:
            stamp = _stamp(folder / path)
        except OSError as error:
            verdicts[path] = Verdict(f"undecodable: {error.strerror}")
            continue
        if path in known and known[path][0] == stamp:
            verdicts[path] = known[path][1]
        else:
            todo.append((path, stamp))
    progress = tqdm(
        desc="Decoding",
        total=len(paths),
        initial=len(verdicts),
        unit="video",
        mininterval=0.1 if sys.stderr.isatty() else 30,
        disable=not todo,
    )
    journal.parent.mkdir(parents=True, exist_ok=True)
    stamps = dict(todo)
    with (
        progress,
        journal.open("a", encoding="utf-8") as file,
        contextlib.closing(_check_all(folder, list(stamps), jobs)) as results,
    ):
        for path, verdict in results:
            verdicts[path] = verdict
            record = dict(path=path, stamp=stamps[path], **asdict(verdict))
            file.write(json.dumps(record) + "\n")
            file.flush()
            progress.update()
    return verdicts


def _check_all(
    folder: Path, paths: list[str], jobs: int | None
) -> Iterator[tuple[str, Verdict]]:
    """Verdicts as they come, by processes of which a few videos are ahead."""
    jobs = jobs or available_cores()
    waiting = paths[::-1]
    while waiting:
        running = {}
        executor = worker_pool(min(jobs, len(waiting)))
        try:
            while waiting or running:
                while waiting and len(running) < 4 * jobs:
                    path = waiting[-1]
                    running[executor.submit(check_video, str(folder / path))] = path
                    waiting.pop()
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in [f for f in running if f in done]:  # in order
                    verdict = _result(future)
                    yield running.pop(future), verdict
        except BrokenProcessPool:  # a decoder crashed and took its process with it
            suspects = list(running.values())
            yield from ((path, _check_alone(folder / path)) for path in suspects)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _result(future: Future) -> Verdict:
    """The verdict; an unforeseen error is one on its video, too, and ends no run."""
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:
        return Verdict(f"undecodable: {error!r}")


def _check_alone(path: Path) -> Verdict:
    with worker_pool(1) as executor:
        try:
            return _result(executor.submit(check_video, str(path)))
        except BrokenProcessPool:
            return Verdict("undecodable: the decoder crashes")


def _read_journal(path: Path) -> dict[str, tuple[list[int], Verdict]]:
    if not path.exists():
        return {}
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:  # the last line was being written
        with path.open("rb+") as file:
            file.truncate(len(whole))
    known = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            record = json.loads(line)
            name, stamp = record.pop("path"), record.pop("stamp")
            known[name] = stamp, Verdict(**record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PreparationError(
                f"{path}, line {number}, is not of a verification ({error!r}); remove "
                "the file to decode all videos again"
            ) from error
    return known


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _span(reader: VideoReader) -> tuple[float, float | None]:
    """When the video stream starts, and when it ends, where the file tells."""
    stream = reader.stream
    start = float((stream.start_time or 0) * stream.time_base)
    duration = _duration(stream)
    if duration is None or stream.container.format.name in _WITH_END:
        return start, duration
    return start, start + duration


def _duration(stream: av.VideoStream) -> float | None:
    """Seconds, where the file tells."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    if text := stream.metadata.get("DURATION"):  # of Matroska: 00:00:10.005000000
        with contextlib.suppress(ValueError):
            hours, minutes, seconds = map(float, text.split(":"))
            return 3600 * hours + 60 * minutes + seconds
    container = stream.container
    if len(container.streams) == 1 and container.duration:
        return container.duration / av.time_base
    return None
