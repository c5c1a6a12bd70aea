"""I3D: Inception-v1, inflated to three dimensions.

Carreira, Zisserman: Quo Vadis, Action Recognition? A New Model and the Kinetics
Dataset, CVPR 2017. MoNet's features are those of its last pooling.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from mmengine.model import Sequential
from mmengine.registry import MODELS as LAYERS
from torch import Tensor, nn

# registers Conv3dSame, too
from ..layers.same_padding import MaxPool3dSame

# Output channels of the four branches of each block: of a 1x1x1 convolution; of a
# reduction and the 3x3x3 convolution after it, twice; of the convolution after pooling.
BLOCKS = {
    "Mixed_3b": (64, (96, 128), (16, 32), 32),
    "Mixed_3c": (128, (128, 192), (32, 96), 64),
    "Mixed_4b": (192, (96, 208), (16, 48), 64),
    "Mixed_4c": (160, (112, 224), (24, 64), 64),
    "Mixed_4d": (128, (128, 256), (24, 64), 64),
    "Mixed_4e": (112, (144, 288), (32, 64), 64),
    "Mixed_4f": (256, (160, 320), (32, 128), 128),
    "Mixed_5b": (256, (160, 320), (32, 128), 128),
    "Mixed_5c": (384, (192, 384), (48, 128), 128),
}
# Kernel and stride of the max-pooling before a block.
POOLS = {
    "Mixed_3b": ("MaxPool3d_3a_3x3", (1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ("MaxPool3d_4a_3x3", (3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ("MaxPool3d_5a_2x2", (2, 2, 2), (2, 2, 2)),
}


@LAYERS.register_module()
class UnscaledBatchNorm3d(nn.BatchNorm3d):
    """Batch norm with a learned shift, but no learned scale."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.register_parameter("weight", None)


class InceptionBlock3d(nn.Module):
    """Four branches side by side.

    Args:
        in_channels: of the maps.
        channels: of the branches, see ``BLOCKS``.
        layer: makes a convolution, its norm and ReLU of in_channels, out_channels and
            kernel size.
    """

    def __init__(self, in_channels: int, channels: tuple, layer: Callable) -> None:
        super().__init__()
        first, *pairs, last = channels
        self.branches = nn.ModuleList([layer(in_channels, first, 1)])
        for reduced, out in pairs:
            branch = layer(in_channels, reduced, 1), layer(reduced, out, 3)
            self.branches.append(nn.Sequential(*branch))
        pool = MaxPool3dSame(3, stride=1)
        self.branches.append(nn.Sequential(pool, layer(in_channels, last, 1)))
        self.branch_channels = (first, *(out for _, out in pairs), last)
        self.out_channels = sum(self.branch_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, T, H, W) to (N, out_channels, T, H, W)."""
        return torch.cat([branch(x) for branch in self.branches], 1)


@MODELS.register_module()
class InceptionI3D(Sequential):
    """I3D up to its last Inception block, of 1024 channels.

    Its layers have the names of the authors' code. All convolutions and max-poolings
    have TensorFlow's 'SAME' padding. ``tools/zoo/convert.py i3d`` converts published
    weights.

    Args:
        in_channels: 3 for RGB, 2 for flow.
        norm_cfg: by default batch norm without a learned scale, as the authors'.
        width: factor of the numbers of channels, of which none falls below 16.
        init_cfg: of mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        in_channels: int = 3,
        norm_cfg: dict | None = None,
        width: float = 1.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        self.norm_cfg = norm_cfg or dict(
            type="UnscaledBatchNorm3d", eps=0.001, momentum=0.01
        )
        stem, channels = _scaled((64, 192), width)
        layers = OrderedDict(
            Conv3d_1a_7x7=self._layer(in_channels, stem, 7, stride=2),
            MaxPool3d_2a_3x3=MaxPool3dSame((1, 3, 3), stride=(1, 2, 2)),
            Conv3d_2b_1x1=self._layer(stem, stem, 1),
            Conv3d_2c_3x3=self._layer(stem, channels, 3),
        )
        for name, branches in BLOCKS.items():
            if name in POOLS:
                pool, size, stride = POOLS[name]
                layers[pool] = MaxPool3dSame(size, stride=stride)
            layers[name] = block = InceptionBlock3d(
                channels, _scaled(branches, width), self._layer
            )
            channels = block.out_channels
        super().__init__(layers, init_cfg=init_cfg)
        self.in_channels = in_channels

    def _layer(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
    ) -> nn.Module:
        """A convolution of all three dimensions, its norm and ReLU."""
        return ConvModule(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            conv_cfg=dict(type="Conv3dSame"),
            norm_cfg=self.norm_cfg,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Clips (N, in_channels, T, H, W) to features (N, 1024, T', H', W').

        T' is T / 8 rounded up, H' and W' are H / 32 and W / 32 rounded up.
        """
        if x.ndim != 5 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"{type(self).__name__} takes clips (N, {self.in_channels}, T, H, W), "
                f"got {tuple(x.shape)}; use FormatShape(input_format='NCTHW') with "
                "Recognizer3D, and in_channels=2 for flow"
            )
        return super().forward(x)


def _scaled(channels: int | tuple, width: float) -> int | tuple:
    """Numbers of channels times width, as the slim code of S3D's authors has it."""
    if isinstance(channels, tuple):
        return tuple(_scaled(c, width) for c in channels)
    return channels if width == 1 else max(int(channels * width), 16)
