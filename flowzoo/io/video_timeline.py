"""The times of a video's frames, from its packets."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from .video_stream import decode, naming_errors, open_video

# Seconds between two frames from which on a file's clock is wrong.
_LONGEST_PAUSE = 3600


@dataclass(frozen=True)
class Timeline:
    """What the packets of a video stream tell.

    Args:
        count: number of frames shown.
        promised: number of frames that the file once had, as far as it tells.
        late_start: whether packets precede the first key frame.
        times: (count,) of the frames in the order of display, in the stream's time
            base; None where packets have no times of their own.
        keys: (time of display, time of decoding or None) of the key frames, sorted.
    """

    count: int
    promised: int
    late_start: bool
    times: np.ndarray | None
    keys: list[tuple[int, int | None]]

    def number_of(self, time: int | None, guess: int) -> int | None:
        """The frame with exactly this time; quicker where it is the guess."""
        if time is None:
            return None
        if guess < self.count and self.times.item(guess) == time:
            return guess
        number = int(np.searchsorted(self.times, time))
        found = number < self.count and self.times[number] == time
        return number if found else None

    def keys_before(self, number: int) -> list[tuple[int, int | None]]:
        """The key frames up to a frame."""
        time = int(self.times[min(number, self.count - 1)])
        return self.keys[: bisect.bisect_right(self.keys, time, key=lambda key: key[0])]


def read_index(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    first_packets: list[av.Packet],
    filename: str,
) -> Timeline | None:
    """The timeline from the index of a file, None where it may not be complete.

    Args:
        container: just opened.
        stream: its video.
        first_packets: the first two of the stream.
        filename: of the container.
    """
    index = stream.index_entries
    if not stream.frames or len(index) != stream.frames or not Path(filename).is_file():
        return None
    times, keys, end = [], [], 0
    for entry in index:
        time, size = entry.timestamp, entry.size
        if size and not entry.is_discard:
            times.append(time)
        if entry.is_keyframe:
            keys.append((time, time))
        end = max(end, entry.pos + size)
    starts = [packet.pts for packet in first_packets if packet.size]
    # The first packet has to be decodable, and the second one not to precede it.
    decodable = first_packets[0].is_keyframe and None not in starts
    if not decodable or starts != sorted(starts):
        return None
    if end > container.size or _is_fragmented(filename):
        return None
    # These are times of decoding.
    displayed = (
        not stream.codec_context.has_b_frames and starts[0] == index[0].timestamp
    )
    return Timeline(
        count=len(times),
        promised=len(times),
        late_start=False,
        times=np.array(times, np.int64) if displayed else None,
        keys=keys,
    )


def read_timeline(filename: str) -> Timeline:
    """Read all packets of a file, once in a process while the file does not change."""
    try:
        status = Path(filename).stat()
    except OSError:  # a URL
        return _scan(filename)
    return _scan_once(
        str(Path(filename).absolute()), status.st_size, status.st_mtime_ns
    )


@lru_cache(maxsize=4096)
def _scan_once(filename: str, size: int, changed: int) -> Timeline:
    return _scan(filename)


def _scan(filename: str) -> Timeline:
    container, stream = open_video(filename)
    with container, naming_errors(f"read {filename}"):
        indexed, promised = len(stream.index_entries), stream.frames
        packets, is_cut = [], False
        for packet in container.demux(stream):
            if packet.size:
                flags = packet.is_keyframe, packet.is_discard
                packets.append((packet.pts, packet.dts, *flags))
                is_cut = packet.is_corrupt
        trusted = has_true_times(container, stream) and _is_steady(packets, stream)
    if is_cut:  # within the last packet
        packets.pop()
    first_key = next((i for i, packet in enumerate(packets) if packet[2]), 0)
    decodable = packets[first_key:]
    late_start = first_key > 0
    shown = [pts for pts, _, _, discard in decodable if not discard]
    times, keys = None, []
    if not trusted or len(set(shown)) < len(shown):
        count = sum(1 for _ in _decode_file(filename, late_start))
    else:
        times = np.sort(np.array(shown, np.int64))
        if shown and (late_start or times[0] < decodable[0][0]):
            # What is displayed before the first key frame may need frames before it,
            # as may a key frame that is a mere refresh: only the decoder knows.
            first = next(_decode_file(filename, late_start), None)
            times = times[times >= (first.pts if first else np.inf)]
        count = len(times)
        keys = sorted((pts, dts) for pts, dts, is_key, _ in decodable if is_key)
    # A header counts frames that were dropped at recording, too; an index does not.
    if indexed == len(packets):
        promised = 0
    hidden = len(packets) - count
    return Timeline(count, max(count, promised - hidden), late_start, times, keys)


def _is_steady(
    packets: list[tuple[int | None, int | None, bool, bool]], stream: av.VideoStream
) -> bool:
    """Whether all packets have times, from a clock that was neither set nor stopped."""
    displayed = [pts for pts, *_ in packets]
    decoded = [dts for _, dts, *_ in packets if dts is not None]
    if None in displayed or decoded != sorted(decoded):
        return False
    pauses = np.diff(np.sort(np.array(displayed, np.int64)))
    return float(pauses.max(initial=0) * stream.time_base) < _LONGEST_PAUSE


def has_true_times(
    container: av.container.InputContainer, stream: av.VideoStream
) -> bool:
    """Whether packets have the times at which their frames are displayed.

    AVI stores none; FFmpeg makes them up, wrongly where there are B-frames.
    """
    return container.format.name != "avi" or not stream.codec_context.has_b_frames


def _decode_file(filename: str, from_key: bool) -> Iterator[av.VideoFrame]:
    container, stream = open_video(filename)
    with container:
        stream.codec_context.thread_count = 1
        yield from decode(stream, container.demux(stream), filename, from_key)


def _is_fragmented(filename: str) -> bool:
    """Whether a file of the MP4 family has fragments, which its index leaves out."""
    with Path(filename).open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind == b"moof":
                return True
            if size == 1:  # the size follows, as it takes eight bytes
                size = int.from_bytes(file.read(8), "big") - 8
            if size < 8:  # up to the file's end
                return False
            file.seek(size - 8, os.SEEK_CUR)
    return False
