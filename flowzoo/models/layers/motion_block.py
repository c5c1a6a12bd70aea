"""Motion features by fixed filters: MFNet's motion block.

Lee, Lee, Son, Park, Kwak: Motion Feature Network: Fixed Motion Filter for Action
Recognition, ECCV 2018 (arXiv 1807.10037), section 3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .repflow_block import per_frame

FUSIONS = ("sum", "concat")
# (down, right): the eight neighbors of a pixel and itself
DIRECTIONS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]


def motion_filter(x: Tensor) -> Tensor:
    """How each frame differs from the next one, moved by a pixel in each direction.

    For a direction (dy, dx): x(t + 1, i + dy, j + dx) - x(t, i, j), where the next
    frame is zero outside. That is a depthwise convolution with filters of zeros and a
    one, minus the frame; nothing is learned.

    Args:
        x: (N, C, T, H, W).

    Returns:
        (N, 9 C, T - 1, H, W): all channels of the first of ``DIRECTIONS``, then of the
        second, and so on.
    """
    height, width = x.shape[-2:]
    following = F.pad(x[:, :, 1:], (1, 1, 1, 1))
    shifted = [
        following[..., 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        for dy, dx in DIRECTIONS
    ]
    current = x[:, :, :-1].repeat(1, len(DIRECTIONS), 1, 1, 1)
    return torch.cat(shifted, 1) - current


class MotionBlock(nn.Module):
    """Add motion features to those of each frame.

    A 1x1 convolution reduces the channels, the fixed filters compare each frame with
    the next, and a 1x1 convolution makes motion features of all directions. These are
    added to the frame's features, or concatenated with them and reduced to as many
    channels by another 1x1 convolution. The last frame has no next one: its motion is
    zero, so that no frame is lost, which is our choice, as are the reduction and the
    norms.

    Args:
        channels: C.
        reduction: of the channels that are filtered, C / reduction, 4 or more.
        fusion: 'sum' or 'concat'.

    Raises:
        ValueError: another fusion, or a reduction below 1.
    """

    def __init__(
        self, channels: int, reduction: int = 16, fusion: str = "concat"
    ) -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise ValueError(f"fusion={fusion!r}; choose one of {FUSIONS}")
        if reduction < 1:
            raise ValueError(f"reduction={reduction}, but at least 1 is needed")
        reduced = max(channels // reduction, 4)
        self.reduce = _conv_norm(channels, reduced, nn.ReLU(inplace=True))
        self.expand = _conv_norm(len(DIRECTIONS) * reduced, channels)
        self.fuse = None
        if fusion == "concat":
            self.fuse = _conv_norm(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, H, W) to the same.

        Raises:
            ValueError: T is 1.
        """
        if x.shape[2] < 2:
            raise ValueError(
                "a motion block compares frames, but got one; raise clip_len"
            )
        motion = motion_filter(per_frame(self.reduce, x))
        motion = F.pad(per_frame(self.expand, motion), (0, 0, 0, 0, 0, 1))
        if self.fuse is None:
            return F.relu(x + motion)
        return F.relu(per_frame(self.fuse, torch.cat((x, motion), 1)))


def _conv_norm(in_channels: int, out_channels: int, *after: nn.Module) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), *after)
