"""Videos that are broken in ten ways."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from .painted_videos import encode, paint, remux


def audio_with_cover(path: Path, video: bool = False) -> Path:
    """Sound with a cover image before it, and maybe a video of 20 frames after it."""
    with av.open(str(path), "w", format="mp4") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=44100)
        stream = container.add_stream("mpeg4", rate=25) if video else None
        if stream:
            stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        container.mux(cover.encode(av.VideoFrame.from_ndarray(paint(99))))
        container.mux(cover.encode())
        for start in range(0, 44100, 1024):
            silence = np.zeros((2, 1024), np.float32)
            samples = av.AudioFrame.from_ndarray(silence, "fltp", "stereo")
            samples.sample_rate, samples.pts = 44100, start
            container.mux(sound.encode(samples))
        container.mux(sound.encode())
        if stream:
            for number in range(20):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(paint(number))))
            container.mux(stream.encode())
    return path


def without_decoder(path: Path) -> Path:
    """A codec that nobody knows."""
    data = encode(path.with_suffix(".avi"), 20).read_bytes()
    path.with_suffix(".avi").unlink()
    path.write_bytes(data.replace(b"FMP4", b"ZZZZ"))
    return path


def mere_refreshes(path: Path) -> Path:
    """Only the first frame is whole; key frames after it begin to refresh it."""
    options = {"intra-refresh": "1", "g": "12", "bf": "0"}
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for number in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(paint(number))))
        container.mux(stream.encode())
    return path


def _cut(suffix: str, kept: float) -> Callable[[Path], None]:
    def make(path):
        data = encode(path.with_suffix(suffix), 20).read_bytes()
        path.with_suffix(suffix).unlink()
        path.write_bytes(data[: int(kept * len(data))])

    return make


def _damaged(path):
    source = encode(path.with_suffix(".avi"), 20, "mjpeg")
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                start = packet.pos + 8  # after the head of its chunk
                data[start : start + packet.size] = bytes(packet.size)
    source.unlink()
    path.write_bytes(data)


def _joined_amid_a_refresh(path):
    whole = mere_refreshes(path.with_suffix(".mkv"))
    cut = remux(whole, path.with_suffix(".cut.mkv"), 30, from_key=False)
    cut.rename(path)
    whole.unlink()


BREAK = {
    "absent": lambda path: None,
    "alien": without_decoder,
    "cover": audio_with_cover,
    "cut before its header": _cut(".mp4", 0.5),
    "cut to nothing": _cut(".mkv", 0.02),
    "damaged": _damaged,
    "empty": lambda path: path.touch(),
    "folder": lambda path: path.mkdir(),
    "joined amid a refresh": _joined_amid_a_refresh,
    "text": lambda path: path.write_text("no video" * 99),
}


def write_folder(folder: Path, count: int) -> tuple[list[str], list[str]]:
    """Write two sound videos for each broken one, of many kinds; most are hard links.

    Returns:
        Names of the sound ones, and of the broken ones.
    """
    ways = list(BREAK)
    suffixes = ("mp4", "mkv", "avi", "ts", "mpg", "webm", "flv", "wmv", "mov", "h264")
    sound, broken = [], []
    masters = folder / "masters"
    masters.mkdir(parents=True)
    for number in range(count):
        kind = number // 3 % 10
        if number % 3:
            master = masters / f"a.{suffixes[kind]}"
            if not master.exists():
                encode(master, 20)
            name = f"sound {number}{master.suffix}"
            sound.append(name)
        else:
            way = ways[kind]
            master = masters / way
            if not master.exists():
                BREAK[way](master)
            name = f"{way} {number}.video"
            broken.append(name)
        if master.is_dir():
            (folder / name).mkdir()
        elif master.exists():
            (folder / name).hardlink_to(master)
    return sound, broken
