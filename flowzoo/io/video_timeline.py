"""The times of a video's frames, from its packets."""

from __future__ import annotations

import bisect
import math
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np

from .avi_index import demux
from .video_stream import decode, decode_from_key, naming_errors, open_video

# Frames decoded to learn whether their times are those of display: where it is likely,
# and where times are in the order of decoding.
_FEW, _MANY = 8, 64
# Seconds between two frames from which on a file's clock is wrong.
_LONGEST_PAUSE = 3600
_UNKNOWN = np.iinfo(np.int64).min  # a time, in place of None
_PACKET = np.dtype(
    [(name, np.int64) for name in ("pts", "dts", "is_key", "is_discard", "size")]
)


@dataclass(frozen=True)
class Timeline:
    """What the packets of a video stream tell.

    Args:
        count: number of frames shown.
        promised: number of frames that the file once had, as far as it tells.
        late_start: whether packets precede the first key frame, or there is none.
        times: (count,) of the frames in the order of display, in the stream's time
            base; None where packets have no times of their own.
        keys: (time of display, time of decoding or None) of the key frames, sorted.
        key_sizes: bytes of the key frames by their time of display; None where
            packets are found by an index, so that seeking is exact.
        is_exact: whether times are what packets say; else they are most likely.
    """

    count: int
    promised: int
    late_start: bool
    times: np.ndarray | None
    keys: list[tuple[int, int | None]]
    key_sizes: dict[int, int] | None = None
    is_exact: bool = True

    def number_of(self, time: int) -> int | None:
        """The frame with exactly this time."""
        number = int(np.searchsorted(self.times, time))
        found = number < self.count and self.times[number] == time
        return number if found else None

    def time_of(self, number: int) -> float:
        """When a frame is displayed; infinite where there is none."""
        return self.times.item(number) if number < self.count else math.inf

    def knows_key(self, packet: av.Packet) -> bool:
        """Whether a packet after a seek has the time that it has without one.

        Where a packet of the container holds several frames, FFmpeg gives the first
        ones after a seek the times of others.
        """
        return self.key_sizes is None or self.key_sizes.get(packet.pts) == packet.size

    def keys_before(self, number: int) -> list[tuple[int, int | None]]:
        """The key frames up to a frame."""
        time = int(self.times[min(number, self.count - 1)])
        return self.keys[: bisect.bisect_right(self.keys, time, key=lambda key: key[0])]


def read_index(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    first_packets: list[av.Packet],
) -> Timeline | None:
    """The timeline from the index of a file, None where it may not be complete.

    Args:
        container: just opened.
        stream: its video.
        first_packets: the first three of the stream.
    """
    index = stream.index_entries
    if not stream.frames or len(index) != stream.frames or "://" in container.name:
        return None
    times, keys, end = [], [], 0
    for entry in index:
        time, size, start = entry.timestamp, entry.size, entry.pos
        if size and not entry.is_discard:
            times.append(time)
        if entry.is_keyframe:
            keys.append((time, time))
        if start + size > end:  # max() takes longer
            end = start + size
    starts = [packet.pts for packet in first_packets if packet.size]
    # The first packet has to be decodable, and the second one not to precede it.
    decodable = first_packets[0].is_keyframe and None not in starts
    if not times or not decodable or starts[:2] != sorted(starts[:2]):
        return None
    if has_true_times(container, stream) and _may_lack_references(stream, starts):
        return None
    if end > container.size or _is_fragmented(container):
        return None
    # The index has times of decoding, which precede those of display by the same time
    # where the rate is constant.
    delay = starts[0] - index[0].timestamp
    reordered = stream.codec_context.has_b_frames
    if reordered:
        periods = {after - before for before, after in pairwise(times)}
        known = delay > 0 and len(periods) < 2 and len(times) == len(index)
    else:
        known = delay == 0
    return Timeline(
        count=len(times),
        promised=len(times),
        late_start=False,
        times=np.array(times, np.int64) + delay if known else None,
        keys=[(time + delay, dts) for time, dts in keys],
        is_exact=not reordered,
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
        # An object for each packet would set off garbage collections, which take
        # longer than all else.
        fields, is_cut = array("q"), False
        for packet in demux(container, stream, filename):
            if size := packet.size:
                pts, dts = packet.pts, packet.dts
                fields.append(_UNKNOWN if pts is None else pts)
                fields.append(_UNKNOWN if dts is None else dts)
                fields.append(packet.is_keyframe)
                fields.append(packet.is_discard)
                fields.append(size)
                is_cut = packet.is_corrupt
        packets = np.array(fields, np.int64).view(_PACKET)
        trusted = has_true_times(container, stream) and _is_steady(packets, stream)
    if is_cut:  # within the last packet
        packets = packets[:-1]
    has_keys = packets["is_key"].any()
    first_key = int(packets["is_key"].argmax()) if has_keys else 0
    late_start = first_key > 0 or not has_keys
    decodable = packets[first_key:]
    timed = trusted and has_keys
    times = _times(decodable, stream, filename, late_start) if timed else None
    if times is None:
        keys = packets[:0]
        count = sum(1 for _ in _decode_file(filename, late_start))
    else:
        keys = decodable[decodable["is_key"] != 0]
        count = len(times)
    # A header counts frames that were dropped at recording, too; an index does not.
    if indexed == len(packets):
        promised = 0
    hidden = len(packets) - count
    displayed = keys["pts"].tolist()
    decoded = [None if dts == _UNKNOWN else dts for dts in keys["dts"].tolist()]
    return Timeline(
        count=count,
        promised=max(count, promised - hidden),
        late_start=late_start,
        times=times,
        keys=sorted(zip(displayed, decoded, strict=True)),
        key_sizes=dict(zip(displayed, keys["size"].tolist(), strict=True)),
    )


def _times(
    packets: np.ndarray, stream: av.VideoStream, filename: str, late_start: bool
) -> np.ndarray | None:
    """Times of display, sorted; None where those of the packets are others.

    Args:
        packets: from the first key frame on.
        stream: of the packets.
        filename: of the container.
        late_start: whether packets precede these.
    """
    shown = packets["pts"][packets["is_discard"] == 0]
    times = np.unique(shown)
    if len(times) < len(shown):
        return None
    unsure = _may_lack_references(stream, shown[:3].tolist())
    if not len(shown) or not (late_start or unsure or times[0] < packets["pts"][0]):
        return times
    # What is displayed before the first key frame or soon after it may need frames
    # before it, as may a key frame that is a mere refresh; and the times may be those
    # of decoding. Only the decoder knows.
    frames = _decode_file(filename, late_start)
    are_sorted = unsure and (shown == times).all()
    decoded = [frame.pts for frame in islice(frames, _MANY if are_sorted else _FEW)]
    if None in decoded or decoded != sorted(decoded):
        return None
    if not decoded:
        return times[:0]
    return times[(times == decoded[0]) | (times >= decoded[min(1, len(decoded) - 1)])]


def _may_lack_references(stream: av.VideoStream, times: list[int]) -> bool:
    """Whether the packets after the first one may need others before it.

    Args:
        stream: of the packets.
        times: of their display, in the order of decoding.
    """
    # Otherwise the second is displayed after the third, so others may need it.
    return stream.codec_context.has_b_frames and times[:3] == sorted(times[:3])


def _is_steady(packets: np.ndarray, stream: av.VideoStream) -> bool:
    """Whether all packets have times, from a clock that was neither set nor stopped."""
    displayed = np.sort(packets["pts"])
    decoded = packets["dts"][packets["dts"] != _UNKNOWN]
    if _UNKNOWN in displayed or (np.diff(decoded) < 0).any():
        return False
    longest = np.diff(displayed).max(initial=0)
    return float(longest * stream.time_base) < _LONGEST_PAUSE


def has_true_times(
    container: av.container.InputContainer, stream: av.VideoStream
) -> bool:
    """Whether packets have the times at which their frames are displayed.

    AVI and streams without a container store none; FFmpeg makes them up, wrongly where
    there are B-frames.
    """
    stores = container.format.name != "avi" and stores_times(container)
    return stores or not stream.codec_context.has_b_frames


def stores_times(container: av.container.InputContainer) -> bool:
    """Whether this is a container, and not a stream as an encoder gives it."""
    return not container.format.flags & av.format.Flags.no_timestamps.value


def _decode_file(filename: str, late_start: bool) -> Iterator[av.VideoFrame]:
    container, stream = open_video(filename)
    with container:
        stream.codec_context.thread_count = 1
        start = decode_from_key if late_start else decode
        yield from start(stream, demux(container, stream, filename), filename)


def _is_fragmented(container: av.container.InputContainer) -> bool:
    """Whether a file of the MP4 family has fragments, which its index leaves out."""
    if "mp4" not in container.format.name:
        return False
    with Path(container.name).open("rb") as file:
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
