"""Convolution and pooling with TensorFlow's 'SAME' padding."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.registry import MODELS as LAYERS
from torch import Tensor, nn


def pad_same(
    x: Tensor, kernel_size: tuple[int, ...], stride: tuple[int, ...]
) -> Tensor:
    """Zero-pad x so that a convolution over its last axes gives ceil(size / stride).

    As TensorFlow's 'SAME': where the padding is odd, the end gets one more.
    """
    padding = []
    for size, kernel, step in zip(
        x.shape[-len(kernel_size) :], kernel_size, stride, strict=True
    ):
        total = max(kernel - (size % step or step), 0)
        padding = [total // 2, total - total // 2, *padding]  # F.pad: last axis first
    return F.pad(x, padding)


class Conv2dSame(nn.Conv2d):
    """2D convolution with 'same' padding, whatever the ``padding`` that it is given."""

    def __init__(self, *args, padding: int | tuple[int, ...] = 0, **kwargs) -> None:
        super().__init__(*args, **kwargs)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad_same(x, self.kernel_size, self.stride))


@LAYERS.register_module()
class Conv3dSame(nn.Conv3d):
    """3D convolution with 'same' padding, whatever the ``padding`` that it is given."""

    def __init__(self, *args, padding: int | tuple[int, ...] = 0, **kwargs) -> None:
        super().__init__(*args, **kwargs)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad_same(x, self.kernel_size, self.stride))


class MaxPool3dSame(nn.MaxPool3d):
    """3D max-pooling with 'same' padding by zeros, for maps that are not negative."""

    def forward(self, x: Tensor) -> Tensor:
        size, step = (
            value if isinstance(value, tuple) else (value,) * 3
            for value in (self.kernel_size, self.stride)
        )
        return super().forward(pad_same(x, size, step))
