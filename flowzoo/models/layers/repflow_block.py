from mmcv.cnn import build_activation_layer, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from flowzoo_kernels import RepresentationFlow


class RepFlowBlock(BaseModule):
    """A representation-flow layer between the convolutions it needs in a CNN.

    1x1 convolution C -> C', representation flow (C' -> 2C'), 3x3 convolution back
    to C (paper: Representation Flow for Action Recognition, section 3.2 and
    appendix A). Where C <= C' the flow is computed on the C channels themselves.

    The paper does not say what follows the 3x3 convolution. Here batch norm and ReLU
    do, because the next residual stage expects what the previous one gave;
    ``norm_cfg=None, act_cfg=None`` leaves the convolution bare.

    Args:
        channels: C, channels of the incoming features and of the result.
        bottleneck_channels: C', channels on which the flow is computed.
        n_iters, variant, learn, normalize: see
            :class:`flowzoo_kernels.RepresentationFlow`.
        norm_cfg, act_cfg: what follows the 3x3 convolution.
    """

    def __init__(
        self,
        channels: int,
        bottleneck_channels: int = 32,
        n_iters: int = 20,
        variant: str = "paper",
        learn: tuple[str, ...] = ("divergence", "theta", "lam", "tau"),
        normalize: str | None = "clip",
        norm_cfg: dict | None = dict(type="BN2d"),  # noqa: B006, mmengine's style
        act_cfg: dict | None = dict(type="ReLU"),  # noqa: B006
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        flow_channels = min(channels, bottleneck_channels)
        self.reduce = nn.Identity()
        if flow_channels < channels:
            self.reduce = nn.Conv2d(channels, flow_channels, 1)
        self.flow = RepresentationFlow(
            flow_channels,
            n_iters=n_iters,
            variant=variant,
            learn=learn,
            normalize=normalize,
        )
        # no ConvModule: mmaction2's loader of torchvision weights takes every one
        # that it finds for a part of the ResNet
        self.expand = nn.Sequential(
            nn.Conv2d(2 * flow_channels, channels, 3, padding=1, bias=norm_cfg is None),
            build_norm_layer(norm_cfg, channels)[1] if norm_cfg else nn.Identity(),
            build_activation_layer(act_cfg) if act_cfg else nn.Identity(),
        )

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """Turn frames into flows between consecutive frames.

        Args:
            x: (N*T, C, H, W), the T frames of a clip one after another.
            num_frames: T, at least 2.

        Returns:
            (N*(T-1), C, H, W)
        """
        x = self.reduce(x)
        x = x.unflatten(0, (-1, num_frames)).transpose(1, 2)  # (N, C', T, H, W)
        u = self.flow(x)  # (N, 2C', T-1, H, W)
        return self.expand(u.transpose(1, 2).flatten(0, 1))
