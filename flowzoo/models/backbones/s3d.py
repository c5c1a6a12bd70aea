"""S3D: Inception-v1 whose convolutions in space and in time are apart.

Xie, Sun, Huang, Tu, Murphy: Rethinking Spatiotemporal Feature Learning: Speed-Accuracy
Trade-offs in Video Classification, ECCV 2018 (arXiv 1712.04851), with the feature
gating of its S3D-G.
"""

from __future__ import annotations

from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from .inception_i3d import InceptionI3D


class SelfGating(nn.Module):
    """Scale each channel by what the averages over the clip of all channels say.

    sigmoid(W mean(x)) x, as the authors' code: without bias.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weights = nn.Conv3d(channels, channels, 1, bias=False)
        nn.init.trunc_normal_(self.weights.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, T, H, W) to the same."""
        return self.weights(x.mean((2, 3, 4), keepdim=True)).sigmoid() * x


@MODELS.register_module()
class S3D(InceptionI3D):
    """S3D up to its last Inception block, of 1024 channels, and S3D-G.

    I3D with a 1xkxk and a kx1x1 convolution in the place of each kxkxk convolution,
    both followed by norm and ReLU. With ``norm_cfg=dict(type='BN3d')`` its parameters
    are as many as those of torchvision's S3D (8,320,048 with 400 classes).
    The authors' released code, which has gates at the same places, differs in details:
    its first convolution is not separated, and the convolutions in time have a bias
    instead of a norm.

    Args:
        gating: S3D-G: gates after the third convolution and after each branch of the
            Inception blocks.
        **kwargs: of :class:`InceptionI3D`, whose ``forward`` says the shapes.
    """

    def __init__(self, *args, gating: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not gating:
            return
        for name, module in self.named_children():
            if name == "Conv3d_2c_3x3":
                channels = module[-1].conv.out_channels
                setattr(self, name, nn.Sequential(*module, SelfGating(channels)))
            elif name.startswith("Mixed"):
                for i, channels in enumerate(module.branch_channels):
                    gate = SelfGating(channels)
                    module.branches[i] = nn.Sequential(module.branches[i], gate)

    def _layer(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
    ) -> nn.Module:
        if kernel_size == 1:
            return super()._layer(in_channels, out_channels, 1, stride)
        k, s = kernel_size, stride
        return nn.Sequential(
            *(
                ConvModule(
                    channels,
                    out_channels,
                    kernel,
                    stride=step,
                    conv_cfg=dict(type="Conv3dSame"),
                    norm_cfg=self.norm_cfg,
                )
                for channels, kernel, step in (
                    (in_channels, (1, k, k), (1, s, s)),
                    (out_channels, (k, 1, 1), (s, 1, 1)),
                )
            )
        )
