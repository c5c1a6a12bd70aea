"""Flow of videos in files, as mmaction2's ``RawframeDataset`` and denseflow have it.

A folder for each video, with ``flow_x_00001.jpg``, ``flow_y_00001.jpg`` and so on (or
``flow.h5``, or ``flow_x.mp4`` and ``flow_y.mp4``): (flow + bound) / (2 bound) * 255,
rounded. It is written under another name and renamed when it is complete, with a file
that has the settings and the checksum of each file.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from av.video.reformatter import ColorRange

from flowzoo.io.images import ToRGB
from flowzoo.io.locks import lock
from flowzoo.io.video import MAX_MISSING, VideoError, VideoReader, naming_errors
from flowzoo_kernels import tvl1_flow

FORMATS = ("jpg", "h5", "mp4")
INFO = "flow.json"  # in each complete folder
CHUNK = 16  # pairs that are computed together


class WritingError(RuntimeError):
    """Files of flow that cannot be written, whatever the video."""


@dataclass(frozen=True)
class FlowSettings:
    """What the files depend on."""

    preset: str = "fast"
    bound: float = 20.0
    step: int = 1
    short_side: int = 256
    format: str = "jpg"
    quality: int = 95
    prefix: str = "flow_"  # of the names of JPEG files


def gray_frames(path: Path, short_side: int) -> Iterator[np.ndarray]:
    """All frames of a video, gray, with this short side; 0 leaves them as they are.

    Raises:
        VideoError: The video cannot be read, or has lost its end.
    """
    count = 0
    with VideoReader(path) as reader, naming_errors(f"read {path}"):
        to_rgb = ToRGB()
        for frame in reader.frames():
            gray = cv2.cvtColor(to_rgb(frame), cv2.COLOR_RGB2GRAY)
            h, w = gray.shape
            if short_side and min(h, w) != short_side:
                factor = short_side / min(h, w)
                size = round(w * factor), round(h * factor)
                gray = cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR)
            yield gray
            count += 1
        if reader.promised_frames > count + MAX_MISSING:
            raise VideoError(
                f"{path} is truncated: {count} of {reader.promised_frames} frames"
            )


def flow_images(
    path: Path, settings: FlowSettings, device: str
) -> Iterator[np.ndarray]:
    """(2, H, W) uint8 for each pair of frames ``step`` apart."""
    waiting: list[np.ndarray] = []
    number = -1
    for number, frame in enumerate(gray_frames(path, settings.short_side)):
        if number % settings.step == 0:
            waiting.append(frame)
        if len(waiting) > CHUNK:
            yield from _images(waiting, settings, device)
            waiting = waiting[-1:]
    if number < settings.step:
        raise VideoError(
            f"{path} has {number + 1} frames; flow with step {settings.step} needs "
            f"{settings.step + 1}"
        )
    if len(waiting) > 1:
        yield from _images(waiting, settings, device)


def _images(frames: list[np.ndarray], settings: FlowSettings, device: str):
    sizes = {frame.shape for frame in frames}
    if len(sizes) > 1:
        raise VideoError(f"the frames change in size: {sorted(sizes)}")
    clip = torch.from_numpy(np.stack(frames))[None].to(device)
    flow = tvl1_flow(clip, settings.preset)[0].transpose(0, 1)
    scaled = (flow / settings.bound + 1) * 127.5
    return list(scaled.clamp_(0, 255).round_().to(torch.uint8).cpu().numpy())


class _Jpg:
    def __init__(self, folder: Path, settings: FlowSettings) -> None:
        self.start, self.count = f"{folder}/{settings.prefix}", 0
        self.options = [cv2.IMWRITE_JPEG_QUALITY, settings.quality]

    def add(self, image: np.ndarray) -> None:
        self.count += 1
        for name, plane in zip("xy", image, strict=True):
            path = Path(f"{self.start}{name}_{self.count:05}.jpg")
            path.write_bytes(cv2.imencode(".jpg", plane, self.options)[1])

    def close(self) -> None:
        pass


class _Mp4:
    def __init__(self, folder: Path, settings: FlowSettings) -> None:
        self.files = [av.open(folder / f"flow_{name}.mp4", "w") for name in "xy"]
        self.streams = []

    def add(self, image: np.ndarray) -> None:
        _, h, w = image.shape
        if not self.streams:
            for file in self.files:
                stream = file.add_stream("libx264", rate=25, options={"crf": "12"})
                stream.width, stream.height = w + w % 2, h + h % 2
                # Levels from 0 to 255: the usual 16 to 235 would round flow off.
                stream.pix_fmt = "yuvj420p"
                stream.codec_context.color_range = ColorRange.JPEG
                self.streams.append(stream)
        for file, stream, plane in zip(self.files, self.streams, image, strict=True):
            plane = np.pad(plane, ((0, h % 2), (0, w % 2)), mode="edge")
            frame = av.VideoFrame.from_ndarray(plane, format="gray")
            file.mux(stream.encode(frame))

    def close(self) -> None:
        for file, stream in zip(self.files, self.streams, strict=True):
            file.mux(stream.encode())
            file.close()


class _H5:
    def __init__(self, folder: Path, settings: FlowSettings) -> None:
        try:
            import h5py
        except ImportError:
            raise WritingError(
                "--format h5 needs h5py, which is not installed; pip install h5py"
            ) from None
        # In memory, as HDF5 ends the process where a disk is full.
        self.path, self.memory = folder / "flow.h5", io.BytesIO()
        self.file, self.data = h5py.File(self.memory, "w"), None

    def add(self, image: np.ndarray) -> None:
        if self.data is None:
            self.data = self.file.create_dataset(
                "flow",
                (0, *image.shape),
                "u1",
                maxshape=(None, *image.shape),
                chunks=(1, *image.shape),
                compression="gzip",
            )
        self.data.resize(len(self.data) + 1, axis=0)
        self.data[-1] = image

    def close(self) -> None:
        self.file.close()
        self.path.write_bytes(self.memory.getbuffer())


_WRITERS = {"jpg": _Jpg, "h5": _H5, "mp4": _Mp4}


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process writes ``path``."""
    locked = path.with_name(f"{path.name}.lock")
    with lock(locked):
        try:
            yield
        finally:
            locked.unlink(missing_ok=True)


def extract(video: Path, target: Path, settings: FlowSettings, device: str) -> int:
    """Write the flow of a video in the folder ``target``. Returns the number of pairs.

    Another process that writes the same is waited for.

    Raises:
        VideoError: The video cannot be read, or is too short.
        WritingError: The files cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with alone(target):
            info = read_info(target) or _write(video, target, settings, device)
    except (OSError, av.error.FFmpegError) as error:
        reason = error.strerror or error
        raise WritingError(f"cannot write {target}: {reason}") from None
    return info["pairs"]


def _write(video: Path, target: Path, settings: FlowSettings, device: str) -> dict:
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    count, size = 0, ()
    try:
        writer = _WRITERS[settings.format](part, settings)
        for image in flow_images(video, settings, device):
            writer.add(image)
            count, size = count + 1, image.shape[1:]
        writer.close()
        info = {"pairs": count, "height": size[0], "width": size[1], **asdict(settings)}
        info["files"] = {path.name: _checksum(path) for path in sorted(part.iterdir())}
        (part / INFO).write_text(json.dumps(info) + "\n")
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return info


def _checksum(path: Path) -> int:
    return zlib.crc32(path.read_bytes())


def read_info(target: Path) -> dict | None:
    """What a complete folder says about itself; None if there is none.

    Raises:
        ValueError: A folder of this name is no complete one.
    """
    try:
        return json.loads((target / INFO).read_text())
    except FileNotFoundError:
        if not target.exists():
            return None
        reason = "missing"
    except ValueError:
        reason = "damaged"
    raise ValueError(f"{target / INFO} is {reason}")


def fault(target: Path) -> str | None:
    """What is wrong with a folder of flow; None if nothing is."""
    try:
        info = read_info(target)
    except ValueError as error:
        return str(error)
    if info is None:
        return "not extracted"
    for name, checksum in info["files"].items():
        path = target / name
        if not path.is_file() or _checksum(path) != checksum:
            return f"{name} is missing or damaged"
    return None
