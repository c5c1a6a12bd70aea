"""Frames of video files by their numbers.

The frames of a video are those that a player shows, from the first decodable key frame
on: what an edit list hides does not count. A header's count is believed only where the
file's index has as many frames and ends where the file does. A seek is never trusted:
where the first frame after it is later than the one wanted, an earlier place is tried,
at last the beginning.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, dropwhile, islice, pairwise

import av
import numpy as np

from .avi_index import demux
from .frame_times import WrongTimesError, as_expected, in_order
from .video_stream import (
    VideoError,
    decode,
    decode_from_key,
    naming_errors,
    open_video,
)
from .video_timeline import (
    Timeline,
    has_true_times,
    read_index,
    read_timeline,
    stores_times,
)

__all__ = ["MAX_MISSING", "VideoError", "VideoReader", "naming_errors"]

# Frames in a row that may be missing, unless told otherwise.
MAX_MISSING = 2
# Frames to be skipped for which seeking pays: where key frames are known, and where
# all packets have to be read to find them.
_NEAR, _FAR = 4, 256
# Decoders that know which frames no other one needs.
_SKIPPING = {"h264", "mpeg1video", "mpeg2video", "mpeg4"}
# Part of a frame's period that its beginning may be off.
_ROUNDING = 0.02

NumberedFrames = Iterator[tuple[int, av.VideoFrame]]


class VideoReader:
    """A video file that is open for reading.

    Args:
        filename: path of a file, or a URL that FFmpeg reads.
        num_threads: decoding threads; 0 lets FFmpeg choose.

    Threads that share a reader do not disturb each other's steps, but it still reads
    one sequence of frames at a time: give each thread a reader of its own.

    Raises:
        VideoError: The file is missing, is no video, or has no decoder.
    """

    def __init__(self, filename: str | os.PathLike, num_threads: int = 1) -> None:
        self.filename = os.fspath(filename)
        self.num_threads = num_threads
        self._best_attempt = 0  # of those in _approach
        self._wanted_time = -math.inf
        self._lock = threading.RLock()  # FFmpeg takes one step of one thread at a time
        self._open()
        self._skips = self.stream.codec_context.name in _SKIPPING
        with naming_errors(f"read {self.filename}"):
            first = list(islice(self._packets, 3))
            self._packets = chain(first, self._packets)
            self._index = read_index(self._container, self.stream, first)

    def _open(self) -> None:
        self._container, self._stream = open_video(self.filename)
        self._packets = demux(self._container, self._stream, self.filename)
        self._at_start = True
        self._is_open = True

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._is_open, self._reading = False, None
            self._container.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def stream(self) -> av.VideoStream:
        """PyAV's, for what else it tells; not to be used when the reader is closed."""
        self._check_open()
        return self._stream

    @cached_property
    def frame_rate(self) -> float:
        """Average frames per second, 0 where the file does not tell.

        The header's, if it is about what the times of the frames say.
        """
        told = float(self.stream.average_rate or 0)
        times = (self._index or self.timeline).times
        if times is None or len(times) < 2:
            return told
        length = float((times[-1] - times[0]) * self.stream.time_base)
        period = length / (len(times) - 1)
        return told if 2 / 3 < told * period < 3 / 2 else 1 / period

    @property
    def frame_count(self) -> int:
        """Number of frames that are shown."""
        return (self._index or self.timeline).count

    @property
    def promised_frames(self) -> int:
        """Number of frames that the file once had, as far as it tells."""
        return (self._index or self.timeline).promised

    @cached_property
    def timeline(self) -> Timeline:
        """The times of the frames; for some files, all packets are read for it."""
        if self._index and self._index.times is not None:
            return self._index
        return read_timeline(self.filename)

    def frames(self) -> Iterator[av.VideoFrame]:
        """All frames in order, from the first one.

        Raises:
            VideoError: A frame is damaged, the reader is closed, or something else was
                read before the last frame.
        """
        from_key = (self._index or self.timeline).late_start
        with self._lock:
            self._check_open()
            if not self._at_start:
                self.close()
                self._open()
            return self._decode(from_key)

    def read(self, numbers: Iterable[int], max_missing: int = 0) -> NumberedFrames:
        """Frames by their numbers, each of these once, in the order of display.

        Should the times in the file turn out to be wrong, they are read again, and
        what comes last for a number is right.

        Args:
            numbers: from 0 on, in any order.
            max_missing: frames in a row that may be missing; the one before them
                stands in.

        Raises:
            VideoError: A frame is missing or damaged, the reader is closed, or
                something else was read before the last frame.
        """
        self._check_open()
        wanted = sorted(set(numbers))
        skipped = max((b - a for a, b in pairwise([0, *wanted])), default=0)
        if skipped >= _FAR and not self.timeline.is_exact:
            self.timeline = read_timeline(self.filename)
        timed = wanted and self._has_true_times and self.frame_count
        while timed and self.timeline.times is not None:
            try:
                yield from self._read_by_time(wanted, max_missing)
                return
            except WrongTimesError:
                if self.timeline.is_exact:
                    break
                self.timeline = read_timeline(self.filename)
        yield from self._read_in_order(wanted, max_missing)

    def number_at(self, seconds: float) -> int:
        """The frame that is on display at a time since the first frame.

        Raises:
            VideoError: The file does not tell when its frames are displayed.
        """
        # Times in files are rounded, and so may be where a frame begins.
        seconds += _ROUNDING / self._known_rate()
        if not self._has_true_times:
            self._check_regular()
            return int(seconds * self.frame_rate)
        times = self._known_times()
        time = times[0] + seconds / float(self.stream.time_base)
        return max(0, int(np.searchsorted(times, time, "right")) - 1)

    def seconds(self) -> float:
        """Time from the first frame to the end of the last one.

        Raises:
            VideoError: The file does not tell when its frames are displayed.
        """
        period = 1 / self._known_rate()
        if not self._has_true_times:
            self._check_regular()
            return self.frame_count * period
        times = self._known_times()
        return float((times[-1] - times[0]) * self.stream.time_base) + period

    @property
    def _has_true_times(self) -> bool:
        return has_true_times(self._container, self.stream)

    def _known_rate(self) -> float:
        if not stores_times(self._container):
            raise self._untimed()
        if not self.frame_rate:
            raise VideoError(
                f"{self.filename} does not tell its frame rate, so windows of it "
                "cannot be read; convert it to .mp4"
            )
        return self.frame_rate

    def _known_times(self) -> np.ndarray:
        if not self.timeline.is_exact:
            self.timeline = read_timeline(self.filename)
        times = self.timeline.times
        if times is None:
            raise self._untimed()
        return times

    def _check_regular(self) -> None:
        """Raise where an AVI has empty chunks, for frames that last longer."""
        entries = self.stream.index_entries
        shown = dropwhile(lambda entry: not entry.is_keyframe, entries)
        chunks = [entry.timestamp for entry in shown]
        if chunks and chunks[-1] - chunks[0] >= len(chunks) + MAX_MISSING:
            raise self._untimed()

    def _untimed(self) -> VideoError:
        return VideoError(
            f"{self.filename} does not tell when its frames are shown, so windows of "
            "it cannot be read; convert it to .mp4"
        )

    def _read_in_order(self, wanted: list[int], max_missing: int) -> NumberedFrames:
        if not wanted:
            return
        number, frame = -1, None
        remaining = iter(wanted)
        target = next(remaining)
        for number, frame in enumerate(self.frames()):
            if number == target:
                yield number, frame
                target = next(remaining, None)
                if target is None:
                    return
        self._check_stand_in(wanted[-1], number, max_missing)
        for missing in chain([target], remaining):
            yield missing, frame

    def _read_by_time(self, wanted: list[int], max_missing: int) -> NumberedFrames:
        timeline, frames, number = self.timeline, None, -1
        for place, target in enumerate(wanted):
            near = number + _NEAR
            self._wanted_time = time = timeline.time_of(target)
            if not frames or (target > near and self._frame_of_key(target) > near):
                frames = self._approach(target)
                before, frame = None, next(frames, None)
            while frame and frame.pts < time:
                before = frame  # and no other: the decoder can reuse its memory
                frame = next(frames, None)
            if frame and frame.pts == time:
                number = target
                yield target, frame
            elif self._skips:  # the frame before it may have been, so once more
                self._skips = False
                yield from self._read_by_time(wanted[place:], max_missing)
                return
            else:
                number = self._number(before)
                if frame:
                    self._number(frame)
                self._check_stand_in(target, number, max_missing)
                yield target, before

    def _number(self, frame: av.VideoFrame | None) -> int:
        if frame is None:
            return -1
        number = self.timeline.number_of(frame.pts)
        if number is None or not self.timeline.is_exact:
            raise WrongTimesError
        return number

    def _check_stand_in(self, target: int, last: int, max_missing: int) -> None:
        if last < 0 or target - last > max_missing:
            raise VideoError(
                f"frame {target} of {self.filename} was asked for, but only {last + 1} "
                "frames could be decoded"
            )

    def _frame_of_key(self, number: int) -> int:
        """The last key frame up to a frame that is known for sure, else -1."""
        keys = self.timeline.is_exact and self.timeline.keys_before(number)
        return int(np.searchsorted(self.timeline.times, keys[-1][0])) if keys else -1

    def _approach(self, target: int) -> Iterator[av.VideoFrame]:
        """Frames from a key frame on that is not later than a frame."""
        if self._frame_of_key(target) > 0:
            time, keys = (
                self.timeline.time_of(target),
                self.timeline.keys_before(target),
            )
            # Containers look up times of display or of decoding, some inexactly.
            goals = [*keys[-1], keys[max(-2, -len(keys))][1]]
            for attempt in range(self._best_attempt, len(goals)):
                with contextlib.suppress(VideoError, WrongTimesError):
                    frames = in_order(self._seek(goals[attempt]))
                    first = next(frames, None)
                    if first and first.pts <= time:
                        self._best_attempt = attempt
                        return chain([first], frames)
        if not self.timeline.is_exact:
            return as_expected(self.frames(), self.timeline.times)
        return in_order(self.frames())

    def _seek(self, time: int | None) -> Iterator[av.VideoFrame]:
        if time is None:
            return iter(())
        with self._lock:
            return self._seek_alone(time)

    def _seek_alone(self, time: int) -> Iterator[av.VideoFrame]:
        self._check_open()
        self._at_start = False
        try:
            self._container.seek(time, stream=self.stream, backward=True)
        except (av.error.FFmpegError, OSError):  # this container cannot
            return iter(())
        packets = demux(self._container, self.stream, self.filename, after_seek=True)
        self._packets = dropwhile(lambda packet: not packet.is_keyframe, packets)
        with naming_errors(f"read {self.filename}"):
            first = next(self._packets, None)
        if not (first and first.pts is not None and self.timeline.knows_key(first)):
            return iter(())
        self._packets = chain([first], self._packets)
        if self._skips:
            self._packets = self._skip_unneeded(self._packets)
        number = int(np.searchsorted(self.timeline.times, first.pts))
        return self._decode(from_key=True, number=number)

    def _skip_unneeded(self, packets: Iterable[av.Packet]) -> Iterator[av.Packet]:
        """Let the decoder skip what is neither wanted nor needed for other frames."""
        context, skipping = self.stream.codec_context, None
        for packet in packets:
            unneeded = packet.pts is not None and packet.pts < self._wanted_time
            if unneeded != skipping:
                skipping = unneeded
                context.skip_frame = "NONREF" if skipping else "DEFAULT"
            yield packet

    def _decode(self, from_key: bool, number: int = 0) -> Iterator[av.VideoFrame]:
        context = self.stream.codec_context
        if not context.is_open:
            context.thread_count = self.num_threads
            context.thread_type = "AUTO"
        self._at_start = False
        start = decode_from_key if from_key else decode
        self._reading = object()
        frames = start(self.stream, self._packets, self.filename, number)
        return self._while_read(self._reading, frames)

    def _while_read(
        self, reading: object, frames: Iterator[av.VideoFrame]
    ) -> Iterator[av.VideoFrame]:
        """Frames, until others are read, as a file has one place to read on at.

        Each is decoded while no other thread uses or closes the file.
        """
        while True:
            with self._lock:
                self._check_open()
                if self._reading is not reading:
                    raise VideoError(
                        f"cannot read on in {self.filename}: something else was read "
                        "from it since; a VideoReader reads one sequence of frames at "
                        "a time"
                    )
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _check_open(self) -> None:
        if not self._is_open:
            raise VideoError(
                f"cannot read {self.filename}: its VideoReader is closed; frames are "
                "read when they are asked for, so use them inside its `with` block"
            )
