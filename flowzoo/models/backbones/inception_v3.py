"""Inception-v3 as TensorFlow's graph of 2015-12-05 has it.

Szegedy et al.: Rethinking the Inception Architecture for Computer Vision, 2015.
YouTube-8M's features come from this graph. It differs from torchvision's network: its
average pooling does not count the border, and its last block pools the maximum.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn

# Branches of convolutions, each (output channels, kernel), by the names of the
# published ports. Two kernels side by side end branches of the last two blocks. Then
# the channels of the convolution after pooling; a block without one halves the size.
Branches = dict[str, list[tuple]]
_ROW, _COLUMN = (1, 7), (7, 1)
_SPLIT = ((384, (1, 3)), (384, (3, 1)))


def _first(pooled: int) -> tuple[Branches, int]:
    branches = dict(
        branch1x1=[(64, 1)],
        branch5x5=[(48, 1), (64, 5)],
        branch3x3dbl=[(64, 1), (96, 3), (96, 3)],
    )
    return branches, pooled


def _factorized(c: int) -> tuple[Branches, int]:
    branches = dict(
        branch1x1=[(192, 1)],
        branch7x7=[(c, 1), (c, _ROW), (192, _COLUMN)],
        branch7x7dbl=[(c, 1), (c, _COLUMN), (c, _ROW), (c, _COLUMN), (192, _ROW)],
    )
    return branches, 192


_LAST = (
    dict(
        branch1x1=[(320, 1)],
        branch3x3=[(384, 1), _SPLIT],
        branch3x3dbl=[(448, 1), (384, 3), _SPLIT],
    ),
    192,
)
BLOCKS = {
    "Mixed_5b": _first(32),
    "Mixed_5c": _first(64),
    "Mixed_5d": _first(64),
    "Mixed_6a": (
        dict(branch3x3=[(384, 3)], branch3x3dbl=[(64, 1), (96, 3), (96, 3)]),
        0,
    ),
    "Mixed_6b": _factorized(128),
    "Mixed_6c": _factorized(160),
    "Mixed_6d": _factorized(160),
    "Mixed_6e": _factorized(192),
    "Mixed_7a": (
        dict(
            branch3x3=[(192, 1), (320, 3)],
            branch7x7x3=[(192, 1), (192, _ROW), (192, _COLUMN), (192, 3)],
        ),
        0,
    ),
    "Mixed_7b": _LAST,
    "Mixed_7c": _LAST,
}
_MAX_POOLED = "Mixed_7c"


def _layer(
    in_channels: int,
    channels: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    same: bool = True,
) -> ConvModule:
    """A convolution without bias, its norm and ReLU; padded where it keeps the size."""
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    return ConvModule(
        in_channels,
        channels,
        kernel,
        stride,
        padding=tuple(k // 2 for k in kernel) if same and stride == 1 else 0,
        norm_cfg=dict(type="BN", eps=0.001),
    )


class _Block(nn.Module):
    """Branches of convolutions and one of pooling, side by side."""

    def __init__(
        self, in_channels: int, branches: Branches, pooled: int, max_pooled: bool
    ) -> None:
        super().__init__()
        self.max_pooled = max_pooled
        self._paths: list[list[tuple[str, ...]]] = []  # names of layers side by side
        self.out_channels = pooled or in_channels
        for name, steps in branches.items():
            channels, path = in_channels, []
            for i, step in enumerate(steps, start=1):
                last = i == len(steps)
                place = f"{name}_{i}" if len(steps) > 1 else name
                if isinstance(step[0], tuple):
                    parts = {f"{place}{x}": s for x, s in zip("ab", step, strict=True)}
                else:
                    parts = {place: step}
                for part, (out, kernel) in parts.items():
                    stride = 2 if last and not pooled else 1
                    self.add_module(part, _layer(channels, out, kernel, stride))
                channels = sum(out for out, _ in parts.values())
                path.append(tuple(parts))
            self._paths.append(path)
            self.out_channels += channels
        if pooled:
            self.branch_pool = _layer(in_channels, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        outputs = [self._run(x, path) for path in self._paths]
        if not hasattr(self, "branch_pool"):
            outputs.append(F.max_pool2d(x, 3, 2))
        elif self.max_pooled:
            outputs.append(self.branch_pool(F.max_pool2d(x, 3, 1, padding=1)))
        else:
            pool = F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)
            outputs.append(self.branch_pool(pool))
        return torch.cat(outputs, 1)

    def _run(self, x: Tensor, path: list[tuple[str, ...]]) -> Tensor:
        for names in path:
            outputs = [getattr(self, name)(x) for name in names]
            x = torch.cat(outputs, 1)
        return x


class InceptionV3(nn.Module):
    """The graph from the frames that it has scaled to its last pooling.

    Layers have the names of the published PyTorch ports (torchvision, pytorch-fid,
    torch-fidelity), whose classifier is left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _layer(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _layer(32, 32, 3, same=False)
        self.Conv2d_2b_3x3 = _layer(32, 64, 3)
        self.Conv2d_3b_1x1 = _layer(64, 80, 1)
        self.Conv2d_4a_3x3 = _layer(80, 192, 3, same=False)
        channels = 192
        for name, (branches, pooled) in BLOCKS.items():
            block = _Block(channels, branches, pooled, name == _MAX_POOLED)
            self.add_module(name, block)
            channels = block.out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, 2048) of images (N, 3, 299, 299) with levels from -1 to 1."""
        x = self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))
        x = F.max_pool2d(self.Conv2d_2b_3x3(x), 3, 2)
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        for name in BLOCKS:
            x = getattr(self, name)(x)
        return x.mean((2, 3))
