"""ActionFlowNet: flow and action from one 3D ResNet.

Ng, Choi, Neumann, Davis: ActionFlowNet: Learning Motion Representation for Action
Recognition, WACV 2018 (arXiv 1612.03052), section 3.
"""

from __future__ import annotations

import torch
from mmaction.models.backbones.resnet3d import ResNet3d
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..flow_units import PIXELS_PER_UNIT


class FlowDecoder(nn.Module):
    """Flow of each pair of frames at several scales, from an encoder's features.

    As FlowNet's decoder, with a dimension more: transposed convolutions double the size
    of the features and of the coarser flow, to which those of the encoder are
    concatenated. Time keeps its length.

    Args:
        channels: of the encoder's features, from fine to coarse.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        *skips, coarse = channels
        self.predict = nn.ModuleList([_flow_conv(coarse)])
        self.enlarge = nn.ModuleList()
        self.enlarge_flow = nn.ModuleList()
        for skip in reversed(skips):
            self.enlarge.append(
                nn.Sequential(
                    _doubling(coarse, skip, bias=False),
                    nn.BatchNorm3d(skip),
                    nn.LeakyReLU(0.1, inplace=True),
                )
            )
            self.enlarge_flow.append(_doubling(2, 2))
            coarse = 2 * skip + 2
            self.predict.append(_flow_conv(coarse))

    def forward(self, features: tuple[Tensor, ...]) -> list[Tensor]:
        """Features (N, C, T, h, w), from fine to coarse, to flows.

        Returns:
            (N, 2 (T - 1), h, w) each, from fine to coarse, x and y of a pair next to
            each other, in the units that the losses of flow take; the convolutions give
            pixels. The last frame has no next one, and what is predicted for it is left
            out.
        """
        *skips, x = features
        flow = self.predict[0](x)
        flows = [flow]
        for i, skip in enumerate(reversed(skips)):
            height, width = skip.shape[-2:]  # which an odd size has doubled beyond
            larger = self.enlarge[i](x), self.enlarge_flow[i](flow)
            x = torch.cat([skip, *(y[..., :height, :width] for y in larger)], 1)
            flow = self.predict[i + 1](x)
            flows.insert(0, flow)
        pairs = [f[:, :, :-1].transpose(1, 2).flatten(1, 2) for f in flows]
        return [f / PIXELS_PER_UNIT for f in pairs]


def _flow_conv(channels: int) -> nn.Conv3d:
    return nn.Conv3d(channels, 2, 3, padding=1)


def _doubling(in_channels: int, out_channels: int, **kwargs) -> nn.ConvTranspose3d:
    return nn.ConvTranspose3d(
        in_channels, out_channels, (3, 4, 4), (1, 2, 2), padding=1, **kwargs
    )


@MODELS.register_module()
class ActionFlowNet(ResNet3d):
    """3D ResNet-18 with a decoder of flow, for ``MotionLossNeck``.

    The features of the last stage classify the action, and those of all stages predict
    the flow of each pair of frames at 1/4, 1/8, 1/16 and 1/32 of their size, which
    ``SupervisedFlowLoss`` compares with the flow that another method gives. Both
    losses are added (section 3.3). In testing nothing is decoded.

    Its 33,166,272 parameters without the decoder are those of torchvision's r3d_18,
    3x3x3 everywhere but in the first 3x7x7. The authors released no code: that no
    stride shortens time, so that each pair has its flow, and the decoder's widths,
    those of the encoder's stages, are our choice.

    Args:
        depth: of the ResNet; 18 is the paper's.
        base_channels: of the stem; 64 is the published ResNet.
        **kwargs: of mmaction2's ``ResNet3d``, whose ``pretrained`` 2D weights are
            inflated.
    """

    def __init__(self, depth: int = 18, base_channels: int = 64, **kwargs) -> None:
        super().__init__(
            depth,
            base_channels=base_channels,
            out_indices=(0, 1, 2, 3),
            with_pool2=False,
            inflate_style="3x3x3",
            zero_init_residual=False,
            **kwargs,
        )
        width = base_channels * self.block.expansion
        self.flow_decoder = FlowDecoder((width, 2 * width, 4 * width, 8 * width))

    def init_weights(self) -> None:
        super().init_weights()
        for predict in self.flow_decoder.predict:  # from almost no motion
            nn.init.normal_(predict.weight, std=0.001)
            nn.init.zeros_(predict.bias)

    def train(self, mode: bool = True) -> ActionFlowNet:
        super().train(mode)  # mmaction2's returns None
        return self

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, list[Tensor]]:
        """Features of clips (N, 3, T, H, W), (N, C, T, H / 32, W / 32).

        In training also the clips and their flows, from fine to coarse.

        Raises:
            ValueError: clips of another shape, or of a single frame.
        """
        if x.ndim != 5 or x.shape[2] < 2:
            raise ValueError(
                f"ActionFlowNet takes clips (N, 3, T, H, W) of two frames or more, got "
                f"{tuple(x.shape)}; use FormatShape(input_format='NCTHW') with "
                "Recognizer3D"
            )
        features = super().forward(x)
        if not self.training:
            return features[-1]
        return features[-1], x, self.flow_decoder(features)
