import torch
from mmcv.cnn import build_activation_layer, build_norm_layer
from torch import Tensor, nn

FUSIONS = ("none", "add", "multiply", "layer_multiply", "concat")


def conv_norm(
    in_channels: int, out_channels: int, kernel_size: int, norm_cfg: dict | None
) -> nn.Sequential:
    """A convolution that keeps the map's size, and its norm.

    Not mmcv's ConvModule: mmaction2's loader of torchvision weights takes every one
    that it finds in a backbone for a part of the ResNet.
    """
    return nn.Sequential(
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            padding=kernel_size // 2,
            bias=norm_cfg is None,
        ),
        build_norm_layer(norm_cfg, out_channels)[1] if norm_cfg else nn.Identity(),
    )


class FlowFusion(nn.Module):
    """Join flow features with the RGB features from which they were computed.

    Representation Flow for Action Recognition, figure 2 and table 4. With x the RGB
    features, y the flow features before their activation ``act``:

    - 'none': act(y)
    - 'add': act(x + y), as in the released network
    - 'multiply': x * act(y)
    - 'layer_multiply': x * act(layer(act(y))), layer being a 3x3 convolution
    - 'concat': act(layer([x, act(y)])), layer being a 1x1 convolution 2C -> C

    The paper says neither what the layer of "layer + multiply" is nor how the network
    continues after a concatenation; both are our reading. Its late fusion concerns the
    whole network: see :class:`flowzoo.models.RepFlowResNet`.

    Args:
        mode: one of the above.
        channels: C, of x and of y.
        norm_cfg: norm after the layer.
        act_cfg: the activation; None for none at all.
    """

    def __init__(
        self, mode: str, channels: int, norm_cfg: dict | None, act_cfg: dict | None
    ) -> None:
        super().__init__()
        if mode not in FUSIONS:
            raise ValueError(f"fusion={mode!r}; choose one of {FUSIONS}")
        self.mode = mode
        self.act = build_activation_layer(act_cfg) if act_cfg else nn.Identity()
        if mode == "layer_multiply":
            self.layer = conv_norm(channels, channels, 3, norm_cfg)
        elif mode == "concat":
            self.layer = conv_norm(2 * channels, channels, 1, norm_cfg)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Join x and y, each (frames, C, H, W), to (frames, C, H, W)."""
        if self.mode == "none":
            return self.act(y)
        if self.mode == "add":
            return self.act(x + y)
        if self.mode == "multiply":
            return x * self.act(y)
        if self.mode == "layer_multiply":
            return x * self.act(self.layer(self.act(y)))
        return self.act(self.layer(torch.cat((x, self.act(y)), 1)))

    def extra_repr(self) -> str:
        return repr(self.mode)
