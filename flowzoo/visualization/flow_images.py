"""Representation flow as files: PNG images and a video."""

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import mmcv
import numpy as np
from torch import Tensor

from flowzoo.deprecated import former_arguments
from flowzoo.io.write_video import write_video

from .flow_color import flow_to_color

_TILE = 128  # pixels of a tile's longer side, about
_LABEL = 14  # pixels of the line of text above a tile
_QUANTILE = 0.99  # of all lengths: what is drawn with full saturation


def write_flow_images(
    folder: str | Path,
    frames: np.ndarray,
    flow: Tensor,
    channels: Sequence[int] | None = None,
    max_flow: float | None = None,
    rate: int = 8,
) -> list[Path]:
    """Write the flow of one clip in one layer.

    ``frames/``, ``magnitude/`` (the mean length over all channels, black to white) and
    ``channel_NNN/`` get a PNG for each of the S steps, of the size of the maps except
    for the frames; ``flow.mp4`` shows all of them side by side, enlarged, and the
    color wheel. Beside step s stands frame floor(s * T / S), from which the flow
    starts where nothing before the layer changes the number of frames.

    Args:
        folder: is made where it does not exist; files in it are overwritten.
        frames: (T, H, W, 3) uint8 RGB, what the network saw.
        flow: (2C, S, h, w), u1 of all channels, then u2.
        channels: those to show; None shows all.
        max_flow: length with full saturation, in the maps' pixels. None takes the
            length that 99 % of the values of the shown channels stay below.
        rate: frames per second of the video.

    Returns:
        The folders and the video.

    Raises:
        ValueError: Wrong shapes, or a channel that is not there.
        OSError: A file cannot be written.
    """
    if flow.ndim != 4 or flow.shape[0] % 2 or not flow.numel():
        raise ValueError(f"flow has shape {tuple(flow.shape)}; expected (2C, S, h, w)")
    if frames.ndim != 4 or frames.shape[3] != 3 or not len(frames):
        raise ValueError(f"frames have shape {frames.shape}; expected (T, H, W, 3)")
    num_channels, steps = flow.shape[0] // 2, flow.shape[1]
    channels = list(range(num_channels)) if channels is None else list(channels)
    if not channels or not all(0 <= c < num_channels for c in channels):
        raise ValueError(
            f"channels {channels}: the layer has the channels 0 to {num_channels - 1}"
        )
    # (C, S, 2, h, w)
    flow = flow.float().cpu().unflatten(0, (2, num_channels)).permute(1, 2, 0, 3, 4)
    length = np.hypot(flow[:, :, 0].numpy(), flow[:, :, 1].numpy())
    if max_flow is None:
        max_flow = _quantile(length[channels])
    magnitude = length.mean(0)
    magnitude = magnitude / (_quantile(magnitude) or 1)
    gray = (255 * magnitude.clip(0, 1)).astype(np.uint8)
    shown = frames[np.arange(steps) * len(frames) // steps]

    series = {"frames": shown, "magnitude": np.repeat(gray[..., None], 3, axis=-1)}
    for channel in channels:
        name = f"channel_{channel:03d}"
        series[name] = flow_to_color(flow[channel], max_flow or None)
    folder = Path(folder)
    for name, images in series.items():
        for step, image in enumerate(images):
            write_png(folder / name / f"{step:04d}.png", image)
    video = folder / "flow.mp4"
    write_video(video, _side_by_side(series, gray.shape[1:]), rate)
    return [*(folder / name for name in series), video]


@former_arguments(picture="image")
def write_png(path: Path, image: np.ndarray) -> None:
    """Write an (H, W, 3) uint8 RGB image, and make its folder.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not mmcv.imwrite(image[..., ::-1], str(path)):
        raise OSError(f"cannot write {path}")


def draw_wheel(size: int = _TILE) -> np.ndarray:
    """The legend: at each place the color of the flow that points there.

    Returns:
        (size, size, 3) uint8 RGB, with white corners.
    """
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    wheel = flow_to_color(np.stack([x, y]), max_flow=1)
    wheel[np.hypot(x, y) > 1] = 255
    return wheel


def _quantile(length: np.ndarray) -> float:
    known = length[np.isfinite(length)]
    return float(np.quantile(known, _QUANTILE)) if known.size else 0.0


def _side_by_side(
    series: dict[str, np.ndarray], map_size: tuple[int, int]
) -> np.ndarray:
    """Tiles with their names in a grid for each step, (S, H, W, 3), even in size."""
    factor = max(1, round(_TILE / max(map_size)))
    h, w = (side * factor for side in map_size)
    tiles = [_tiles(name, images, h, w) for name, images in series.items()]
    steps = len(tiles[0])
    legend = np.full((1, h, w, 3), 255, dtype=np.uint8)
    legend[0, : min(h, w), : min(h, w)] = draw_wheel(min(h, w))
    tiles.append(_tiles("direction", np.repeat(legend, steps, axis=0), h, w))

    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    empty = np.full_like(tiles[0], 255)
    tiles += [empty] * (rows * columns - len(tiles))
    grid = np.stack(tiles).reshape(rows, columns, *empty.shape)
    sheets = grid.transpose(2, 0, 3, 1, 4, 5)  # step, row, y, column, x, color
    sheets = sheets.reshape(steps, rows * (h + _LABEL), columns * w, 3)
    even = [(0, side % 2) for side in sheets.shape[1:3]]  # as the video's format needs
    return np.pad(sheets, [(0, 0), *even, (0, 0)], constant_values=255)


def _tiles(name: str, images: np.ndarray, h: int, w: int) -> np.ndarray:
    """Images (S, ?, ?, 3) as (S, label and h, w, 3)."""
    label = np.full((_LABEL, w, 3), 255, dtype=np.uint8)
    font, place = cv2.FONT_HERSHEY_SIMPLEX, (2, _LABEL - 4)
    cv2.putText(label, name, place, font, 0.35, (0, 0, 0))
    # the maps' pixels stay visible
    method = cv2.INTER_AREA if name == "frames" else cv2.INTER_NEAREST
    resized = [cv2.resize(image, (w, h), interpolation=method) for image in images]
    return np.stack([np.vstack([label, p]) for p in resized])
