"""Flow from the motion losses alone: gradient descent on a free field, no network.

From the coarsest level to the finest, the field is a sum of enlarged fields of all
levels so far, which Adam improves together: a step of a coarse one moves a region. The
end-point error against the true flow says whether the losses and their gradient lead
anywhere; zero flow is what to compare with.

Weights are those of training, except for smoothness, of which a free field needs more
than the output of a network. It is chosen on MotionShapes pairs and nothing else.
"""

import os
import re
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from flowzoo_kernels import motion_loss
from flowzoo_kernels.frame_pyramid import frame_pyramid
from flowzoo_kernels.motion_loss.op import SSIM_WEIGHTS

UNIT = 20.0  # pixels of the frames per unit of flow, as in MotionNet
MEAN = torch.tensor([123.0, 117.0, 104.0]).view(3, 1, 1)  # RGB
SMOOTHNESS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # to choose from
STEP = 0.2  # pixels of the level, the largest step of Adam; falls to a fiftieth


def _enlarge(flow: Tensor, size: tuple[int, int]) -> Tensor:
    if flow.shape[2:] == size:
        return flow
    return F.interpolate(flow, size, mode="bilinear", align_corners=True)


def descend(
    first: Tensor, second: Tensor, levels: int, iterations: int, smoothness: float
) -> Tensor:
    """Flow in pixels, (N, 2, H, W), from first to second, (N, 3, H, W) in [0, 255]."""
    n, _, h, w = first.shape
    frames = torch.stack([(f - MEAN) / 255 for f in (first, second)], 2)
    sizes = [(h >> level, w >> level) for level in range(levels, 0, -1)]
    fields = []
    for level, size, images in zip(
        range(levels, 0, -1), sizes, frame_pyramid(frames, sizes), strict=True
    ):
        fields = [*fields, torch.zeros(n, 2, *size)]
        fields = [field.detach().requires_grad_() for field in fields]
        scale = UNIT / 2**level
        optimizer = torch.optim.Adam(fields, STEP / scale / len(fields))
        decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.02, iterations)
        for _ in range(iterations):
            loss, _ = motion_loss(
                images[:, :3],
                images[:, 3:],
                sum(_enlarge(field, size) for field in fields),
                flow_scale=scale,
                weights=(1.0, smoothness, SSIM_WEIGHTS[level - 1]),
                border=0,
            )
            optimizer.zero_grad()
            (n * loss).backward()
            optimizer.step()
            decay.step()
    return UNIT * sum(_enlarge(field.detach(), (h, w)) for field in fields)


def end_point_errors(
    first: Tensor,
    second: Tensor,
    truth: Tensor,
    levels: int,
    iterations: int,
    smoothness: float,
) -> dict:
    """End-point errors in pixels of zero flow and of the flow found, of each pair."""
    flow = descend(first, second, levels, iterations, smoothness)
    zero, found = truth.norm(dim=1).flatten(1), (flow - truth).norm(dim=1).flatten(1)
    result = {"zero flow": float(zero.mean()), "descent": float(found.mean())}
    result = {name: round(value, 3) for name, value in result.items()}
    for name, errors in (("zero flow", zero), ("descent", found)):
        means, medians = errors.mean(1), errors.median(1).values
        result[f"{name}, each"] = [round(float(v), 2) for v in means]
        result[f"{name}, median of each"] = [round(float(v), 2) for v in medians]
    return result


def flying_chairs_folder() -> Path:
    default = Path(__file__).parents[1] / ".." / "shared" / "data"
    return Path(os.environ.get("FLOWZOO_TEST_DATA", default)) / "flyingchairs"


def _read_ppm(path: Path) -> Tensor:
    data = path.read_bytes()
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    if header is None:
        raise ValueError(f"{path} is not a binary PPM with a plain header")
    w, h = int(header[1]), int(header[2])
    image = np.frombuffer(data, np.uint8, 3 * w * h, header.end()).reshape(h, w, 3)
    return torch.from_numpy(image.copy()).permute(2, 0, 1).float()


def _read_flo(path: Path) -> Tensor:
    data = path.read_bytes()
    w, h = np.frombuffer(data, np.int32, 2, 4)
    flow = np.frombuffer(data, np.float32, 2 * w * h, 12).reshape(h, w, 2)
    return torch.from_numpy(flow.copy()).permute(2, 0, 1)


def flying_chairs(smoothness: float, iterations: int = 100) -> dict | None:
    """Errors on all pairs of the folder, or None where there is none."""
    folder = flying_chairs_folder()
    names = sorted(p.name[:-7] for p in folder.glob("*-gt.flo"))
    if not names:
        return None
    first, second = (
        torch.stack([_read_ppm(folder / f"{name}-{part}.ppm") for name in names])
        for part in ("img0", "img1")
    )
    truth = torch.stack([_read_flo(folder / f"{name}-gt.flo") for name in names])
    return end_point_errors(first, second, truth, 5, iterations, smoothness)


def _motion_shapes_pairs(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two frames of one clip of each class, 64 x 64, and the true flow."""
    from flowzoo.datasets.motionshapes import CLASSES, render_clip

    clips = [render_clip(label, (seed, label), 2) for label in range(len(CLASSES))]
    frames = torch.from_numpy(np.stack([clip.frames for clip in clips]))
    frames = frames.permute(1, 0, 4, 2, 3).float()
    return *frames, torch.from_numpy(np.stack([clip.flow[0] for clip in clips]))


def motion_shapes(smoothness: float, iterations: int = 100) -> dict:
    """Errors on one pair of each class."""
    return end_point_errors(*_motion_shapes_pairs(0), 3, iterations, smoothness)


def choose_smoothness(iterations: int = 100) -> dict[float, float]:
    """The mean error on other pairs of each class, for each weight to choose from."""
    seeds = (_motion_shapes_pairs(seed) for seed in (1, 2, 3))
    pairs = [torch.cat(tensors) for tensors in zip(*seeds, strict=True)]
    return {
        weight: end_point_errors(*pairs, 3, iterations, weight)["descent"]
        for weight in SMOOTHNESS
    }
