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
    return _compared(packets, index, filename, None if after_seek else -1)


def _compared(
    packets: Iterator[av.Packet],
    index: av.index.IndexEntries,
    filename: str,
    place: int | None,
) -> Iterator[av.Packet]:
    """Packets that follow a place of the index, None where that is unknown."""
    start = end = 0  # of the chunk before
    for packet in packets:
        dts, size = packet.dts, packet.size
        before = place
        if size:
            place = index.search_timestamp(dts, any_frame=True)
            entry = index[place]  # the last one where there is none
            pos = entry.pos
            agree = (
                entry.timestamp == dts
                and (entry.size == size or packet.is_corrupt)  # as the file ends
                and pos + _HEAD == packet.pos
                and (pos >= end or pos == start)  # an image may be shown twice
                and not (before is not None and _has_data(index, before + 1, place))
            )
            start, end = pos, pos + _HEAD + size
        else:
            at_end = dts is None and before is not None
            agree = not (at_end and _has_data(index, before + 1, len(index)))
        if not agree:
            raise _damaged(filename, place if before is None else before + 1)
        yield packet


def _has_data(index: av.index.IndexEntries, start: int, end: int) -> bool:
    return any(index[place].size for place in range(start, end))


def _check_complete(stream: av.VideoStream, filename: str) -> None:
    """Look for frames between those of the index."""
    name = b"%02dd" % stream.index
    with Path(filename).open("rb") as file:
        for number, (entry, after) in enumerate(pairwise(stream.index_entries), 1):
            pos = entry.pos + _HEAD + entry.size + entry.size % 2
            while pos < after.pos:
                file.seek(pos)
                head = file.read(_HEAD)
                size = int.from_bytes(head[4:], "little")
                if head.startswith(name) and size:
                    raise _damaged(filename, number)
                # A list is read into; its name has four bytes more.
                pos += 12 if head.startswith(b"LIST") else _HEAD + size + size % 2


def _damaged(filename: str, number: int) -> VideoError:
    return VideoError(
        f"cannot read {filename} from frame {number} on: it is damaged, as its frames "
        "are not where its index says; `ffmpeg -i DAMAGED.avi -c copy NEW.avi` saves "
        "those that are left"
    )
