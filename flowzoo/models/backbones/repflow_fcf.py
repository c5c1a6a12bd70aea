"""The authors' (2+1)D network with flow-conv-flow."""

import torch.nn.functional as F
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, constant_init
from torch import Tensor, nn

from flowzoo_kernels import RepresentationFlow

from .repflow_resnet3d import RepFlowSeparableResNet3d

MIN_FRAMES = 15  # for two frames after the flow layers: of one, only padding is left


def _conv(inputs: int, outputs: int, size: int) -> nn.Conv3d:
    """A convolution within frames."""
    padding = (0, size // 2, size // 2)
    return nn.Conv3d(inputs, outputs, (1, size, size), padding=padding, bias=False)


class FcfResidual(BaseModule):
    """Flow of flow beside the features from which it was computed.

    ``relu(mean3(x) + norm(expand(flow2(reduce2(conv(flow(reduce(x))))))))``, where
    mean3 averages three consecutive frames, as many as meet in a flow of flow.

    Args:
        channels: C, of the incoming features and of the result.
        flow_channels: channels on which the flow is computed.
        n_iters, learn, normalize: see :class:`flowzoo_kernels.RepresentationFlow`.
    """

    def __init__(
        self,
        channels: int,
        flow_channels: int,
        n_iters: int,
        learn: tuple[str, ...],
        normalize: str,
    ) -> None:
        super().__init__()
        settings = (flow_channels, n_iters, "tvl1", learn, normalize)
        self.reduce = _conv(channels, flow_channels, 1)
        self.flow = RepresentationFlow(*settings)
        self.conv = _conv(2 * flow_channels, 2 * flow_channels, 3)
        self.reduce2 = _conv(2 * flow_channels, flow_channels, 1)
        self.flow2 = RepresentationFlow(*settings)
        self.expand = ConvModule(
            2 * flow_channels,
            channels,
            (1, 3, 3),
            padding=(0, 1, 1),
            conv_cfg=dict(type="Conv3d"),
            norm_cfg=dict(type="BN3d"),
            act_cfg=None,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, T, H, W) to (N, C, T-2, H, W)."""
        flow = self.conv(self.flow(self.reduce(x)))  # (N, 2C', T-1, H, W)
        flow = self.flow2(self.reduce2(flow))  # (N, 2C', T-2, H, W)
        return F.relu(F.avg_pool3d(x, (3, 1, 1), stride=1) + self.expand(flow))


@MODELS.register_module()
class RepFlowFcfResNet3d(RepFlowSeparableResNet3d):
    """The (2+1)D ResNet with flow-conv-flow of the authors' public training code.

    :class:`RepFlowSeparableResNet3d` is the paper's network as the paper describes it.
    This is the one to which weights of the authors' code can be converted
    (``tools/zoo/convert.py repflow``). What is particular to it:

    - flow-conv-flow after the second stage as a residual, :class:`FcfResidual`, whose
      last norm starts at zero: at first the network is one without flow;
    - no padding in time in the stem, and a zero frame on either side before the
      convolutions that halve the number of frames, although they do not look at
      neighboring frames;
    - features are normalized over the whole batch, with the sign flipped: **a clip's
      result depends on the clips beside it**, unless ``normalize='clip'``.

    Args:
        depth: 18, 34, 50, 101 or 152.
        flow_channels, n_iters, learn, normalize: of the flow layers; see
            :class:`flowzoo_kernels.RepresentationFlow`.
        **kwargs: of mmaction2's ``ResNet3d``.
    """

    def __init__(
        self,
        depth: int,
        flow_channels: int = 32,
        n_iters: int = 20,
        learn: tuple[str, ...] = ("divergence", "theta", "lam", "tau"),
        normalize: str = "legacy",
        **kwargs,
    ) -> None:
        super().__init__(depth, flow_after=None, **kwargs)
        channels = self._channels_after("layer2")
        self.flow_block = FcfResidual(
            channels, flow_channels, n_iters, learn, normalize
        )
        self.conv1.conv.padding = (0, 3, 3)
        for name in self.res_layers:
            for conv in getattr(self, name).modules():
                if isinstance(conv, nn.Conv3d) and conv.stride[0] > 1:
                    conv.padding = (1, *conv.padding[1:])

    def init_weights(self) -> None:
        super().init_weights()
        constant_init(self.flow_block.expand.norm, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Clips (N, 3, T, H, W) to features (N, C, T', H', W')."""
        if x.ndim != 5 or x.shape[2] < MIN_FRAMES:
            raise ValueError(
                f"{type(self).__name__} takes clips (N, C, T, H, W) of at least "
                f"{MIN_FRAMES} frames, got {tuple(x.shape)}; raise clip_len of "
                "SampleFrames, or use FormatShape(input_format='NCTHW')"
            )
        x = self.maxpool(self.conv1(x))
        x = self.flow_block(self.layer2(self.layer1(x)))
        return self.layer4(self.layer3(x))
