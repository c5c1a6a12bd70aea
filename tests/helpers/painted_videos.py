"""Small videos whose frames have their number painted into them."""

from pathlib import Path

import av
import numpy as np

RATE = 25
GROUP = 12  # frames from one key frame to the next
_X265 = f"log-level=none:keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes="
_CODECS = {
    ".avi": "mpeg4",
    ".gif": "gif",
    ".hevc": "libx265",
    ".mpg": "mpeg2video",
    ".webm": "libvpx-vp9",
    ".wmv": "wmv2",
}


def paint(number: int) -> np.ndarray:
    """(32, 64, 3) uint8, with the number as two rows of four black or white blocks."""
    bits = [number >> place & 1 for place in range(8)]
    blocks = np.array(bits, np.uint8).reshape(2, 4) * 200 + 25
    return np.repeat(blocks.repeat(16, 0).repeat(16, 1)[..., None], 3, axis=2)


def number_in(image: np.ndarray) -> int:
    """The number that is painted into an image."""
    bits = image.mean(2).reshape(2, 16, 4, 16).mean((1, 3)).ravel() > 125
    return sum(1 << place for place in range(8) if bits[place])


def encode(
    path: Path,
    frames: int = 60,
    codec: str | None = None,
    b_frames: int = 0,
    **container_options: str,
) -> Path:
    """Write frames 0, 1, ...; the suffix chooses container and codec."""
    codec = codec or _CODECS.get(path.suffix, "libx264")
    options = dict(g=str(GROUP), bf=str(b_frames), sc_threshold="0")
    if codec == "libx265":
        options = {"x265-params": f"{_X265}{b_frames}:open-gop=1"}
    elif codec == "libvpx-vp9":
        options = dict(g=str(GROUP), deadline="realtime")
    elif codec in ("gif", "wmv2"):
        options = dict(g=str(GROUP))
    elif codec == "mjpeg":
        options = {}
    with av.open(str(path), "w", options=container_options) as container:
        stream = container.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height = 64, 32
        stream.pix_fmt = dict(gif="rgb8", mjpeg="yuvj420p").get(codec, "yuv420p")
        if codec != "gif":
            stream.bit_rate = 1_000_000
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(paint(number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def remux(
    source: Path, path: Path, start: int = 0, shift: int = 0, from_key: bool = True
) -> Path:
    """Copy packets without encoding them again.

    Args:
        source: of the packets.
        path: of the copy.
        start: the frame to start at, in the order of display.
        shift: frame periods by which the copy is displayed later.
        from_key: start at the key frame before it, instead of amid a group.
    """
    options = dict(avoid_negative_ts="disabled")
    with av.open(str(source)) as given, av.open(str(path), "w", options=options) as new:
        stream = given.streams.video[0]
        copy = new.add_stream_from_template(stream)
        by = round(shift / RATE / stream.time_base)
        packets = [packet for packet in given.demux(stream) if packet.size]
        keys = [place for place, packet in enumerate(packets) if packet.is_keyframe]
        first = keys[start // GROUP] if from_key else start
        for packet in packets[first:]:
            if packet.pts is not None:
                packet.pts += by
            if packet.dts is not None:
                packet.dts += by
            packet.stream = copy
            new.mux(packet)
    return path


def turn(source, path, degrees, mirrored=False):
    """A copy of a video that players show turned, and mirrored; returns ``path``."""
    with av.open(str(source)) as given, av.open(str(path), "w") as new:
        copy = new.add_stream_from_template(given.streams.video[0])
        copy.set_display_rotation(degrees, hflip=mirrored)
        for packet in list(given.demux(video=0))[:-1]:
            packet.stream = copy
            new.mux(packet)
    return path
