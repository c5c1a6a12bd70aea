"""BN-Inception, the network of temporal segment networks.

Ioffe, Szegedy: Batch Normalization: Accelerating Deep Network Training by Reducing
Internal Covariate Shift, 2015.
"""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

# Output channels of the branches of each block: of a 1x1 convolution; of a reduction
# and a 3x3 convolution; of a reduction and two 3x3 convolutions; of the convolution
# after pooling. Where the first and the last are None, the block halves the size.
BLOCKS = {
    "3a": (64, (64, 64), (64, 96), 32),
    "3b": (64, (64, 96), (64, 96), 64),
    "3c": (None, (128, 160), (64, 96), None),
    "4a": (224, (64, 96), (96, 128), 128),
    "4b": (192, (96, 128), (96, 128), 128),
    "4c": (160, (128, 160), (128, 160), 128),
    "4d": (96, (128, 192), (160, 192), 128),
    "4e": (None, (128, 192), (192, 256), None),
    "5a": (352, (192, 320), (160, 224), 128),
    "5b": (352, (192, 320), (192, 224), 128),
}
_MAX_POOLED = ("3c", "4e", "5b")  # the others average


class _Layers(BaseModule):
    """Convolutions with biases, each with its norm, under Caffe's names."""

    def add(
        self, name: str, in_channels: int, channels: int, kernel: int, stride: int = 1
    ) -> int:
        conv = nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2)
        self.add_module(name, conv)
        self.add_module(f"{name}_bn", nn.BatchNorm2d(channels))
        return channels

    def run(self, x: Tensor, *names: str) -> Tensor:
        for name in names:
            x = getattr(self, f"{name}_bn")(getattr(self, name)(x)).relu()
        return x


@MODELS.register_module()
class BNInception(_Layers):
    """BN-Inception up to its last block, of 1024 channels.

    The parameters have the names of the published weights.

    Args:
        in_channels: 3 for images, 20 for a stack of ten flows.
        partial_bn: keep the statistics and the parameters of all norms but the first
            fixed, as temporal segment networks do.
        pretrained: checkpoint with the published names. What has another shape is not
            loaded; see ``StackedTemporalStream`` for the first layer.
        init_cfg: Kaiming initialization unless given.
    """

    def __init__(
        self,
        in_channels: int = 3,
        partial_bn: bool = False,
        pretrained: str | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if pretrained:
            init_cfg = dict(type="Pretrained", checkpoint=pretrained)
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d"))
        self.pretrained = pretrained
        self.partial_bn = partial_bn
        channels = self.add("conv1_7x7_s2", in_channels, 64, 7, 2)
        channels = self.add("conv2_3x3_reduce", channels, 64, 1)
        channels = self.add("conv2_3x3", channels, 192, 3)
        for block, (single, (reduced, out), (reduced2, out2), pooled) in BLOCKS.items():
            name = f"inception_{block}"
            stride = 1 if single else 2
            if single:
                self.add(f"{name}_1x1", channels, single, 1)
            self.add(f"{name}_3x3_reduce", channels, reduced, 1)
            self.add(f"{name}_3x3", reduced, out, 3, stride)
            self.add(f"{name}_double_3x3_reduce", channels, reduced2, 1)
            self.add(f"{name}_double_3x3_1", reduced2, out2, 3)
            self.add(f"{name}_double_3x3_2", out2, out2, 3, stride)
            if pooled:
                self.add(f"{name}_pool_proj", channels, pooled, 1)
            channels = (single or 0) + out + out2 + (pooled or channels)
        # Caffe rounds sizes up
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.max_pool = nn.MaxPool2d(3, 1, padding=1)
        self.average_pool = nn.AvgPool2d(3, 1, padding=1)
        if partial_bn:
            for norm in self._fixed_norms():
                norm.requires_grad_(False)

    def _fixed_norms(self) -> list[nn.BatchNorm2d]:
        return [m for m in self.modules() if isinstance(m, nn.BatchNorm2d)][1:]

    def train(self, mode: bool = True) -> BNInception:
        super().train(mode)
        if self.partial_bn:
            for norm in self._fixed_norms():
                norm.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, 1024, H / 32, W / 32) of images (N, in_channels, H, W)."""
        x = self.pool(self.run(x, "conv1_7x7_s2"))
        x = self.pool(self.run(x, "conv2_3x3_reduce", "conv2_3x3"))
        for block in BLOCKS:
            x = self._block(x, block)
        return x

    def _block(self, x: Tensor, block: str) -> Tensor:
        single, *_, pooled = BLOCKS[block]
        name = f"inception_{block}_"
        double = "double_3x3_reduce", "double_3x3_1", "double_3x3_2"
        branches = [
            self.run(x, f"{name}3x3_reduce", f"{name}3x3"),
            self.run(x, *(name + part for part in double)),
        ]
        if single:
            branches.insert(0, self.run(x, f"{name}1x1"))
        if not pooled:
            branches.append(self.pool(x))
        else:
            pool = self.max_pool if block in _MAX_POOLED else self.average_pool
            branches.append(self.run(pool(x), f"{name}pool_proj"))
        return torch.cat(branches, 1)
