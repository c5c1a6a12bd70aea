"""The network of the authors' released Kinetics weights."""

import torch.nn.functional as F
from mmaction.models.backbones.resnet3d import Bottleneck3d, ResNet3d
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from flowzoo_kernels import RepresentationFlow

from ..layers.same_padding import MaxPool3dSame

# Which blocks of each stage have a temporal convolution.
INFLATE = ((1, 1, 0), (1, 1, 0, 1), (1, 1, 0, 1, 0, 1), (1, 1, 0))
MIN_FRAMES, MIN_SIZE = 11, 7  # for two frames and one pixel before the flow layer


class TwoNormBottleneck3d(Bottleneck3d):
    """mmaction2's bottleneck with a second norm in the projection shortcut."""

    def __init__(self, inplanes: int, planes: int, **kwargs) -> None:
        super().__init__(inplanes, planes, **kwargs)
        if self.downsample is not None:
            norm = build_norm_layer(self.norm_cfg, planes * self.expansion)[1]
            self.downsample = nn.Sequential(self.downsample, norm)


class ReleasedFlowBlock(BaseModule):
    """The released representation-flow layer: a residual around a flow bottleneck.

    ``relu(x[:, :, :-1] + bn(expand(flow(reduce(x)))))``, with 1x1x1 convolutions.

    Args:
        channels: C, of the incoming features and of the result.
        flow_channels: channels on which the flow is computed.
        n_iters, learn: see :class:`flowzoo_kernels.RepresentationFlow`.
    """

    def __init__(
        self, channels: int, flow_channels: int, n_iters: int, learn: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.reduce = nn.Conv3d(channels, flow_channels, 1, bias=False)
        self.flow = RepresentationFlow(
            flow_channels, n_iters, "released", learn, normalize="legacy"
        )
        self.expand = ConvModule(
            2 * flow_channels,
            channels,
            1,
            conv_cfg=dict(type="Conv3d"),
            norm_cfg=dict(type="BN3d"),
            act_cfg=None,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, T, H, W) to (N, C, T-1, H, W)."""
        flow = self.flow(self.reduce(x))  # (N, 2C', T-1, H, W)
        return F.relu(x[:, :, :-1] + self.expand(flow))


@MODELS.register_module()
class ReleasedRepFlowResNet3d(ResNet3d):
    """3D ResNet-50 with one representation-flow layer, as the authors released it.

    For their Kinetics weights (``tools/zoo/convert.py repflow``); the networks of the
    paper are :class:`RepFlowResNet` and its relatives. What is particular to this one:

    - a 7x7x7 stem of stride 2 without padding; time is halved by it and by the
      max-pooling, so that T frames give about T/4, and one less after the flow layer;
    - 'same' padding elsewhere, and a second norm in the projection shortcuts;
    - the flow layer after the second stage, as a residual, on features that are
      normalized over the whole batch, with the sign flipped: **a clip's result depends
      on the clips beside it**. Test one view at a time (``max_testing_views=1``).

    Args:
        base_channels: channels of the stem; 64 is the released network.
        flow_channels, n_iters, learn: of the flow layer; see
            :class:`flowzoo_kernels.RepresentationFlow`.
        frozen_stages, norm_eval, with_cp: see mmaction2's ``ResNet3d``.
    """

    arch_settings = {50: (TwoNormBottleneck3d, (3, 4, 6, 3))}

    def __init__(
        self,
        base_channels: int = 64,
        flow_channels: int = 32,
        n_iters: int = 10,
        learn: tuple[str, ...] = (
            "image",
            "flow",
            "divergence",
            "theta",
            "lam",
            "tau",
        ),
        frozen_stages: int = -1,
        norm_eval: bool = False,
        with_cp: bool = False,
    ) -> None:
        super().__init__(
            50,
            base_channels=base_channels,
            with_pool2=False,
            inflate=INFLATE,
            conv_cfg=dict(type="Conv3dSame"),
            frozen_stages=frozen_stages,
            norm_eval=norm_eval,
            with_cp=with_cp,
        )
        channels = 2 * base_channels * self.block.expansion
        self.flow_block = ReleasedFlowBlock(channels, flow_channels, n_iters, learn)

    def _make_stem_layer(self) -> None:
        self.conv1 = ConvModule(
            self.in_channels,
            self.base_channels,
            7,
            stride=2,
            bias=False,
            conv_cfg=dict(type="Conv3d"),
            norm_cfg=dict(type="BN3d", eps=0.001, momentum=0.01),
            act_cfg=self.act_cfg,
        )
        self.maxpool = MaxPool3dSame(3, stride=2)

    def train(self, mode: bool = True) -> "ReleasedRepFlowResNet3d":
        super().train(mode)  # mmaction2's returns None
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Clips (N, 3, T, H, W) to features (N, 32 * base_channels, T', H', W').

        T' = ceil(floor((T - 5) / 2) / 2) - 1.
        """
        if x.ndim != 5:
            raise ValueError(
                f"{type(self).__name__} takes clips (N, C, T, H, W), got "
                f"{tuple(x.shape)}; use FormatShape(input_format='NCTHW') with "
                "Recognizer3D"
            )
        if x.shape[2] < MIN_FRAMES or min(x.shape[3:]) < MIN_SIZE:
            raise ValueError(
                f"{type(self).__name__} needs clips of at least {MIN_FRAMES} frames of "
                f"{MIN_SIZE}x{MIN_SIZE}, got {tuple(x.shape)}; raise clip_len of "
                "SampleFrames"
            )
        x = self.maxpool(self.conv1(x))
        x = self.flow_block(self.layer2(self.layer1(x)))
        return self.layer4(self.layer3(x))
