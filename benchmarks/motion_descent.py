"""Flow from the motion losses alone: gradient descent on a free field, no network.

From the coarsest level to the finest, the flow of the level before is enlarged and
improved by Adam. The end-point error against the true flow says whether the losses and
their gradient lead anywhere; zero flow is what to compare with.
"""

import os
import re
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from flowzoo_kernels import motion_loss
from flowzoo_kernels.frame_pyramid.reference import local_response_norm, reduce_frames

UNIT = 20.0  # pixels of the frames per unit of flow, as in MotionNet
MEAN = torch.tensor([123.0, 117.0, 104.0]).view(3, 1, 1)  # RGB
# Chosen on the FlyingChairs pairs. A free field needs more smoothness than the output
# of a network; in training it is 1.
WEIGHTS = (1.0, 8.0, 0.01)
STEP = 0.2  # pixels of the level, the largest step of Adam; falls to a fiftieth


def descend(first: Tensor, second: Tensor, levels: int, iterations: int) -> Tensor:
    """Flow in pixels, (N, 2, H, W), from first to second, (N, 3, H, W) in [0, 255]."""
    n, _, h, w = first.shape
    frames = [local_response_norm((f - MEAN) / 255) for f in (first, second)]
    flow = torch.zeros(n, 2, h >> levels, w >> levels)
    for level in range(levels, 0, -1):
        size = h >> level, w >> level
        if flow.shape[2:] != size:
            flow = F.interpolate(flow, size, mode="bilinear", align_corners=True)
        flow = flow.detach().requires_grad_()
        target, source = (reduce_frames(f, *size) for f in frames)
        scale = UNIT / 2**level
        optimizer = torch.optim.Adam([flow], STEP / scale)
        decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.02, iterations)
        for _ in range(iterations):
            loss, _ = motion_loss(
                target, source, flow, flow_scale=scale, weights=WEIGHTS, border=0
            )
            optimizer.zero_grad()
            (n * loss).backward()
            optimizer.step()
            decay.step()
    flow = flow.detach()
    return UNIT * F.interpolate(flow, (h, w), mode="bilinear", align_corners=True)


def end_point_errors(first, second, truth, levels: int, iterations: int) -> dict:
    """Mean end-point error in pixels of zero flow and of the flow found, per pair."""
    flow = descend(first, second, levels, iterations)
    zero = truth.norm(dim=1).mean((1, 2))
    found = (flow - truth).norm(dim=1).mean((1, 2))
    return {
        "zero flow": round(float(zero.mean()), 3),
        "descent": round(float(found.mean()), 3),
        "zero flow, each": [round(float(v), 2) for v in zero],
        "descent, each": [round(float(v), 2) for v in found],
    }


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


def flying_chairs(iterations: int = 100) -> dict | None:
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
    return end_point_errors(first, second, truth, 5, iterations)


def motion_shapes(iterations: int = 100) -> dict:
    """Errors on one pair of each class, 64 x 64; the scenes are the generator's."""
    from flowzoo.datasets.motionshapes import CLASSES, render_clip

    clips = [render_clip(label, (0, label), 2) for label in range(len(CLASSES))]
    frames = torch.from_numpy(np.stack([clip.frames for clip in clips]))
    frames = frames.permute(1, 0, 4, 2, 3).float()
    truth = torch.from_numpy(np.stack([clip.flow[0] for clip in clips]))
    return end_point_errors(frames[0], frames[1], truth, 3, iterations)
