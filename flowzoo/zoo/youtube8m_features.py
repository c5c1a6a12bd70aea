"""YouTube-8M's appearance features of any video: Inception-v3, PCA and whitening.

What Google's published extractor (``feature_extractor`` in google/youtube-8m) does for
a frame. Which frames it takes differs: those on display at 0, 1, 2 and so on seconds
here, which do not drift where a second is no whole number of frames.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor, nn

from ..datasets.youtube8m import CHANNELS, quantize
from ..io.images import ToRGB
from ..io.video import MAX_MISSING, VideoReader, naming_errors
from .convert_inception_v3 import read_inception_v3

SIZE = 299
MAX_FRAMES = 300
_FULL = 2048
_GRAPH = "classify_image_graph_def.pb"
_EPSILON = 1e-4  # added to the eigenvalues
_FRAMES_AT_ONCE = 32  # what they need on a CPU is about a gigabyte


class FramesOfSeconds:
    """A frame for each second of a video, as the network takes them.

    Args:
        max_frames: of a video, from its beginning.
    """

    def __init__(self, max_frames: int = MAX_FRAMES) -> None:
        self.max_frames = max_frames

    def __call__(self, info: dict) -> Tensor:
        """(T, 3, 299, 299) float32, levels from 0 to 255, of the file ``filename``.

        Raises:
            VideoError: It cannot be read.
        """
        to_rgb, images = ToRGB(), {}
        with VideoReader(info["filename"]) as reader:
            seconds = min(self.max_frames, max(1, int(np.ceil(reader.seconds()))))
            numbers = [reader.number_at(second) for second in range(seconds)]
            with naming_errors(f"convert frames of {reader.filename}"):
                for number, frame in reader.read(numbers, MAX_MISSING):
                    image = torch.from_numpy(to_rgb(frame)).permute(2, 0, 1)
                    images[number] = resize_bilinear(image.float(), SIZE)
        return torch.stack([images[number] for number in numbers])


def resize_bilinear(image: Tensor, size: int) -> Tensor:
    """(C, H, W) to (C, size, size) as TensorFlow's ``ResizeBilinear`` did in 2015.

    Pixel i is at i * H / size, not between pixels as in PyTorch, and nothing is
    averaged where the image becomes smaller.
    """
    for dim in (2, 1):
        length = image.shape[dim]
        place = torch.arange(size, dtype=torch.float32) * (length / size)
        low = place.long()
        high = (low + 1).clamp(max=length - 1)
        weight = (place - low).reshape((1, 1, -1) if dim == 2 else (1, -1, 1))
        start, end = image.index_select(dim, low), image.index_select(dim, high)
        image = start + (end - start) * weight
    return image


class YouTube8MFeatures(nn.Module):
    """Frames to the 1024 levels that YouTube-8M's files have for each.

    Args:
        network: images (N, 3, 299, 299) from -1 to 1 to (N, 2048).
        mean: (2048,), of the features.
        eigenvalues: (1024,) or more, the largest first.
        eigenvectors: (1024, 2048) or more, one in each row.

    Raises:
        ValueError: An eigenvalue is negative.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: Tensor,
        eigenvalues: Tensor,
        eigenvectors: Tensor,
    ) -> None:
        super().__init__()
        self.network = network
        channels = CHANNELS["rgb"]
        scale = (eigenvalues[:channels] + _EPSILON).sqrt()
        if not scale.isfinite().all():
            raise ValueError("an eigenvalue of the PCA is negative")
        self.register_buffer("mean", mean)
        self.register_buffer("components", eigenvectors[:channels])
        self.register_buffer("scale", scale)

    @classmethod
    def from_folder(cls, folder: Path) -> YouTube8MFeatures:
        """Of the files that Google's extractor loads, unpacked in one folder.

        These are ``classify_image_graph_def.pb`` (of inception-2015-12-05.tgz), or
        else one .pth of a PyTorch port of it, and ``mean.npy``, ``eigenvals.npy`` and
        ``eigenvecs.npy`` (of yt8m_pca.tgz).

        Raises:
            OSError, ImportError: A file cannot be read.
            ValueError: A file is damaged, or not what it should be.
        """
        weights = [path for path in (folder / _GRAPH,) if path.exists()]
        weights = weights or sorted(folder.glob("*.pth"))
        if len(weights) != 1:
            raise FileNotFoundError(
                f"{folder} should have {_GRAPH}, of inception-2015-12-05.tgz, or one "
                f".pth of a port of it, not {len(weights)}"
            )
        return cls(
            read_inception_v3(weights[0]),
            _array(folder / "mean.npy", _FULL, 1)[:, 0],
            _array(folder / "eigenvals.npy", CHANNELS["rgb"], 1)[:, 0],
            _array(folder / "eigenvecs.npy", CHANNELS["rgb"], _FULL),
        ).eval()

    @torch.inference_mode()
    def forward(self, frames: Tensor) -> np.ndarray:
        """(T, 3, 299, 299) frames of :class:`FramesOfSeconds` to (T, 1024) uint8."""
        features = [
            self.network((x - 128) / 128) for x in frames.split(_FRAMES_AT_ONCE)
        ]
        x = (torch.cat(features) - self.mean) @ self.components.T / self.scale
        return quantize(x.float().cpu().numpy())


def _array(path: Path, rows: int, columns: int) -> Tensor:
    """A matrix of at least that many rows."""
    try:
        array = np.asarray(np.load(path, allow_pickle=False))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no {path}, of yt8m_pca.tgz") from error
    except (ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if array.ndim != 2 or len(array) < rows or array.shape[1] != columns:
        raise ValueError(f"{path} should be ({rows}, {columns}), got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path} has values that are not finite")
    return torch.from_numpy(array.astype(np.float32))
