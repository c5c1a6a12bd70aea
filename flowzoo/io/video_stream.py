"""Opening and decoding of a file's video stream, with errors that name the file."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from itertools import chain, dropwhile

import av
from av.video.frame import PictureType

# A stream of this disposition is an image, not a video; a number, as flags are slow.
_STILL = int(
    av.stream.Disposition.attached_pic
    | av.stream.Disposition.timed_thumbnails
    | av.stream.Disposition.still_image
)
# Seconds that a server may be silent; without a limit, Ctrl-C would not help either.
_PATIENCE = 20.0
# What PyAV raises for files that it cannot read.
_ERRORS = (
    av.error.FFmpegError,
    OSError,
    ValueError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
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
    except _ERRORS as error:
        raise _named(error, action) from error


def _named(error: Exception, action: str) -> VideoError:
    reason = getattr(error, "strerror", None) or str(error) or repr(error)
    if isinstance(error, av.error.ExitError):
        reason = f"no answer within {_PATIENCE:g} s"
    return VideoError(f"cannot {action}: {reason}")


def open_video(
    filename: str,
) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Open a file, and find its first video stream that is not cover art.

    Raises:
        VideoError: No such file, no video, or no decoder for it.
    """
    with contextlib.ExitStack() as stack:
        with naming_errors(f"open video {filename}"):
            # Real files have titles that are not UTF-8.
            address = _address(filename)
            container = av.open(
                address,
                metadata_errors="replace",
                timeout=_PATIENCE if address == filename and "://" in address else None,
            )
            stack.push(container)
        streams = container.streams.video
        videos = [stream for stream in streams if not int(stream.disposition) & _STILL]
        if not videos:
            note = " (cover art is none)" if streams else ""
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
        mode = os.stat(filename).st_mode  # noqa: PTH116 (pathlib is slow)
    except OSError:
        if "://" in filename:
            return filename
        raise
    if not stat.S_ISREG(mode):
        raise VideoError(f"cannot open video {filename}: it is not a regular file")
    return os.path.join(os.getcwd(), filename)  # noqa: PTH109, PTH118


def decode(
    stream: av.VideoStream,
    packets: Iterable[av.Packet],
    filename: str,
    number: int = 0,
) -> Iterator[av.VideoFrame]:
    """Decode packets.

    Args:
        stream: of the packets.
        packets: in the order of the file.
        filename: for errors.
        number: of the first frame, for errors.
    """
    try:
        for packet in packets:
            if not packet.size and packet.dts is not None:
                continue  # stands for a dropped frame; without a time it ends the file
            for frame in packet.decode():
                yield frame
                number += 1
    except VideoError:
        raise
    except _ERRORS as error:
        raise _named(error, f"decode frame {number} of {filename}") from error


def decode_from_key(
    stream: av.VideoStream, packets: Iterable[av.Packet], filename: str, number: int = 0
) -> Iterator[av.VideoFrame]:
    """Like :func:`decode`, from the first key frame on.

    Leaves out what comes before it, in the file or on display: it needs frames that are
    not among the packets. So do all frames up to the first intra-coded one, where key
    frames are mere refreshes, or none is marked.
    """
    packets, before = iter(packets), []
    with naming_errors(f"read {filename}"):
        for first in packets:
            if first.is_keyframe:
                break
            before.append(first)
        else:
            if not before:
                return
            first, *packets = before
    frames = decode(stream, chain([first], packets), filename, number)
    intact = dropwhile(lambda frame: frame.pict_type != PictureType.I, frames)
    yield from dropwhile(
        lambda frame: None not in (first.pts, frame.pts) and frame.pts < first.pts,
        intact,
    )
