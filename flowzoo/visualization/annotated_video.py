"""Videos with what a model made of them written beside the image."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from torch import Tensor

from .flow_color import flow_to_color, place

_HEIGHT = 240  # of the image, in pixels
_LINE = 20  # of a line of text


class AnnotatedVideo:
    """Write parts of a video, one after another, with their classes and flow.

    A context manager. The image stands at the left, the flow of one channel, in the
    colors of the Middlebury wheel, at its right, the classes below. The channel is the
    one with the longest flow in the first part.

    Args:
        path: of the video, .mp4. It is there only when it is complete.
        rate: frames per second.
        lines: of text.
    """

    def __init__(self, path: Path, rate: float, lines: int) -> None:
        self.path, self.lines = path, lines
        self._partial = path.with_stem(f"{path.stem}.partial")
        self._container = av.open(str(self._partial), "w")
        rate = Fraction(rate).limit_denominator(1001)
        self._stream = self._container.add_stream("libx264", rate=rate)
        self._stream.pix_fmt = "yuv420p"
        self._channel: int | None = None
        self._longest = 1.0
        self._opened = False

    def __enter__(self) -> AnnotatedVideo:
        return self

    def __exit__(self, kind, *_) -> None:
        if self._opened:
            self._container.mux(self._stream.encode())
        self._container.close()
        if kind is None and self._opened:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)

    def write(
        self,
        frames: np.ndarray,
        new: int,
        text: list[str],
        flow: Tensor | None,
        flow_name: str | None = None,
        window: tuple[float, float, float, float] = (0, 0, 1, 1),
    ) -> None:
        """Add a part.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            new: how many of them, at the end, are not in the video yet.
            text: one line for each class.
            flow: (2C, S, h, w), u1 of all channels, then u2; or None.
            flow_name: is written above it.
            window: of the frame in which the flow is: left, top, width and height, as
                parts of the frame's.
        """
        height, width = frames.shape[1:3]
        size = _even(width * _HEIGHT / height), _HEIGHT
        colors = None if flow is None else self._colors(flow, size, flow_name, window)
        for i in range(len(frames) - new, len(frames)):
            panels = [cv2.resize(frames[i], size, interpolation=cv2.INTER_AREA)]
            if colors is not None:
                panels.append(colors[i * len(colors) // len(frames)])
            image = np.concatenate(panels, axis=1)
            self._add(np.concatenate([image, self._text(text, image.shape[1])]))

    def _colors(
        self,
        flow: Tensor,
        size: tuple[int, int],
        name: str | None,
        window: tuple[float, float, float, float],
    ) -> list[np.ndarray]:
        flow = flow.float().unflatten(0, (2, -1)).transpose(0, 1)  # (C, 2, S, h, w)
        length = flow.square().sum(1).sqrt()
        if self._channel is None:
            self._channel = int(length.mean((1, 2, 3)).argmax())
            self._longest = float(length[self._channel].max()) or 1.0
        images = flow_to_color(flow[self._channel].transpose(0, 1), self._longest)
        images = [place(image, window, size) for image in images]
        if name and len(flow) > 1:
            name += f", channel {self._channel}"
        for image in images if name else ():
            _write(image, name, (6, 14), 0.4, (0, 0, 0))
        return images

    def _text(self, text: list[str], width: int) -> np.ndarray:
        strip = np.zeros((_even(_LINE * self.lines + 8), width, 3), np.uint8)
        for i, line in enumerate(text[: self.lines]):
            _write(strip, line, (6, _LINE * (i + 1) - 3), 0.5, (255, 255, 255))
        return strip

    def _add(self, image: np.ndarray) -> None:
        if not self._opened:
            self._stream.height, self._stream.width = image.shape[:2]
            self._opened = True
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        self._container.mux(self._stream.encode(frame))


def _write(
    image: np.ndarray,
    text: str,
    place: tuple[int, int],
    size: float,
    color: tuple[int, int, int],
) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(image, text, place, font, size, color, 1, cv2.LINE_AA)


def _even(value: float) -> int:
    """The encoder wants even numbers."""
    return max(2, 2 * round(value / 2))
