"""Opening and decoding of a file's video stream, with errors that name the file."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import av

# A stream of this disposition is a picture, not a video.
_STILL = (
    av.stream.Disposition.attached_pic
    | av.stream.Disposition.timed_thumbnails
    | av.stream.Disposition.still_image
)


class VideoError(RuntimeError):
    """A video that cannot be read as asked; the message names the file."""


@contextlib.contextmanager
def naming_errors(action: str) -> Iterator[None]:
    """Turn whatever PyAV raises into a ``VideoError``: 'cannot {action}: reason'."""
    try:
        yield
    except VideoError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or repr(error)
        raise VideoError(f"cannot {action}: {reason}") from error


def open_video(
    filename: str,
) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Open a file, and find its first video stream that is not a cover picture.

    Raises:
        VideoError: No such file, no video, or no decoder for it.
    """
    with contextlib.ExitStack() as stack:
        with naming_errors(f"open video {filename}"):
            # Real files have titles that are not UTF-8.
            container = av.open(_address(filename), metadata_errors="replace")
            stack.push(container)
        streams = container.streams.video
        videos = [stream for stream in streams if not stream.disposition & _STILL]
        if not videos:
            note = " (a cover picture is none)" if streams else ""
            raise VideoError(f"no video stream in {filename}{note}")
        if videos[0].codec_context is None:
            raise VideoError(
                f"cannot decode {filename}: FFmpeg has no decoder for its codec; "
                "convert it to another one, such as H.264"
            )
        stack.pop_all()
    return container, videos[0]


def _address(filename: str) -> str:
    """What FFmpeg should open; it takes 'a:b.mp4' for a protocol."""
    try:
        mode = Path(filename).stat().st_mode
    except OSError:
        if "://" in filename:
            return filename
        raise
    if not stat.S_ISREG(mode):
        raise VideoError(f"cannot open video {filename}: it is not a regular file")
    return str(Path(filename).absolute())


def decode(
    stream: av.VideoStream,
    packets: Iterable[av.Packet],
    filename: str,
    from_key: bool = False,
) -> Iterator[av.VideoFrame]:
    """Decode packets.

    Args:
        stream: of the packets.
        packets: in the order of the file.
        filename: for errors.
        from_key: leave out what comes before the first key frame, in the file or on
            display: it needs frames that are not among the packets.
    """
    count, earliest = 0, None
    packets = iter(packets)
    while True:
        with naming_errors(f"decode frame {count} of {filename}"):
            packet = next(packets, None)
            if packet is None:
                return
            if from_key and not packet.is_keyframe:
                continue
            if from_key:
                from_key, earliest = False, packet.pts
            if not packet.size and packet.dts is not None:
                continue  # stands for a dropped frame; without a time it ends the file
            frames = packet.decode()
        for frame in frames:
            if None in (earliest, frame.pts) or frame.pts >= earliest:
                yield frame
                count += 1


def count_indexed_frames(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    first_packets: list[av.Packet],
    filename: str,
) -> int:
    """Number of frames shown where the file's index tells all of them, else 0.

    Args:
        container: just opened.
        stream: its video.
        first_packets: the first two packets of the stream.
        filename: of the container.
    """
    entries = stream.index_entries
    if not stream.frames or len(entries) != stream.frames:
        return 0
    if not Path(filename).is_file():  # a URL
        return 0
    shown = end = 0
    for entry in entries:
        shown += entry.size > 0 and not entry.is_discard
        end = max(end, entry.pos + entry.size)
    times = [packet.pts for packet in first_packets if packet.pts is not None]
    starts_whole = first_packets[0].is_keyframe and times == sorted(times)
    is_whole = end <= container.size and not _is_fragmented(container, filename)
    return shown if starts_whole and is_whole else 0


def _is_fragmented(container: av.container.InputContainer, filename: str) -> bool:
    """Whether a file of the MP4 family has fragments, which its index leaves out."""
    if "mp4" not in container.format.name:
        return False
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
