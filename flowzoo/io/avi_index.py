"""The packets of an AVI, compared with its index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av

from .video_stream import VideoError

_HEAD = 8  # bytes of a chunk's name and size, which precede its packet


def demux(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    filename: str,
    after_seek: bool = False,
) -> Iterator[av.Packet]:
    """Packets of a stream, in the order of the file.

    FFmpeg numbers those of an AVI as it finds them. Where the head of a chunk is
    damaged, it finds none or another one, and all later frames would be taken for
    those before them; by the index, it finds the right ones.

    Raises:
        VideoError: A packet is not where the index says, or not in the index.
    """
    packets, index = container.demux(stream), stream.index_entries
    if container.format.name != "avi" or not len(index):
        return packets
    if not after_seek and len(index) < stream.frames:
        _check_complete(stream, filename)
    return _compared(packets, index, filename, after_seek)


def _compared(
    packets: Iterator[av.Packet],
    index: av.index.IndexEntries,
    filename: str,
    after_seek: bool,
) -> Iterator[av.Packet]:
    entries = None if after_seek else _frames(index, 0)
    start = end = 0  # of the chunk before
    for packet in packets:
        dts, size = packet.dts, packet.size
        if size:
            if not entries:
                entries = _frames(index, index.search_timestamp(dts, any_frame=True))
            entry = next(entries, None)
            pos = entry.pos if entry else -1
            if not (
                pos + _HEAD == packet.pos
                and entry.timestamp == dts
                and (entry.size == size or packet.is_corrupt)  # as the file ends
                and (pos >= end or pos == start)  # an image may be shown twice
            ):
                raise _damaged(filename, entry)
            start, end = pos, pos + _HEAD + size
        elif dts is None and entries and (entry := next(entries, None)):
            raise _damaged(filename, entry)
        yield packet


def _frames(index: av.index.IndexEntries, place: int) -> Iterator[av.index.IndexEntry]:
    while place < len(index):  # which FFmpeg extends where the file has none
        entry = index[place]
        if entry.size:
            yield entry
        place += 1


def _check_complete(stream: av.VideoStream, filename: str) -> None:
    """Look for frames between those of the index."""
    name = b"%02dd" % stream.index
    with Path(filename).open("rb") as file:
        for entry, after in pairwise(stream.index_entries):
            pos = entry.pos + _HEAD + entry.size + entry.size % 2
            while pos < after.pos:
                file.seek(pos)
                head = file.read(_HEAD)
                size = int.from_bytes(head[4:], "little")
                if head.startswith(name) and size:
                    raise _damaged(filename, after)
                # A list is read into; its name has four bytes more.
                pos += 12 if head.startswith(b"LIST") else _HEAD + size + size % 2


def _damaged(filename: str, entry: av.index.IndexEntry | None) -> VideoError:
    start = f"frame {entry.timestamp}" if entry else "its end"
    return VideoError(
        f"cannot read {filename} from {start} on: it is damaged, as its frames are not "
        "where its index says; `ffmpeg -i DAMAGED.avi -c copy NEW.avi` saves those "
        "that are left"
    )
