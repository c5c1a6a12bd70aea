"""MotionNet and its variants: flow between the frames of a clip, at several scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.models.backbones.resnet import ResNet
from mmaction.registry import MODELS
from mmcv.cnn.vgg import make_vgg_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

MIN_FRAMES, MAX_FRAMES = 2, 11

# Caffe's MSRA filler
_MSRA = dict(
    type="Kaiming",
    layer=["Conv2d", "ConvTranspose2d"],
    mode="fan_in",
    nonlinearity="relu",
    distribution="normal",
)


def _conv(in_channels: int, channels: int, kernel: int = 3, stride: int = 1):
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2),
        nn.LeakyReLU(0.1, inplace=True),
    )


def _crop(x: Tensor, like: Tensor) -> Tensor:
    """Cut off what doubling an odd size gives too much, at most a row and a column."""
    return x[..., : like.shape[-2], : like.shape[-1]]


class FlowDecoder(BaseModule):
    """From the features of an encoder to flows, from coarse to fine.

    The coarsest flow is predicted from the coarsest features. At each finer level, the
    decoder's features are doubled in size (and so is, by learned weights, the flow) and
    convolved together with the encoder's features, without an activation, to what
    predicts this level's flow and passes it to the next level.

    Args:
        in_channels: of the encoder's features, from fine to coarse.
        channels: of the decoder's features, from fine to coarse; one less.
        flow_channels: two for each pair of frames.
        smooth_convs: without these convolutions, what they would see predicts the
            flow and passes it to the next level.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: Sequence[int],
        flow_channels: int,
        smooth_convs: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(channels) + 1:
            raise ValueError(
                f"{len(in_channels)} levels of features need {len(in_channels) - 1} "
                f"numbers of channels, got {tuple(channels)}"
            )
        *skipped, coarsest = in_channels
        seen = [i + o + flow_channels for i, o in zip(skipped, channels, strict=True)]
        levels = [*(channels if smooth_convs else seen), coarsest]
        self.deconvs = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(i, o, 4, 2, 1), nn.LeakyReLU(0.1, inplace=True)
            )
            for i, o in zip(levels[1:], channels, strict=True)
        )
        self.upsample_flows = nn.ModuleList(
            nn.ConvTranspose2d(flow_channels, flow_channels, 4, 2, 1) for _ in channels
        )
        self.smooth_convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1) if smooth_convs else nn.Identity()
            for i, o in zip(seen, channels, strict=True)
        )
        self.predict_flows = nn.ModuleList(
            nn.Conv2d(i, flow_channels, 3, padding=1) for i in levels
        )

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Flows of encoder features, both from fine to coarse.

        Args:
            features: (N, C, h, w) each; a level has half the size of the one before,
                rounded up.

        Returns:
            (N, flow_channels, h, w) for each level.
        """
        x = features[-1]
        flows = [self.predict_flows[-1](x)]
        for level in reversed(range(len(self.deconvs))):
            feature = features[level]
            x = torch.cat(
                [
                    feature,
                    _crop(self.deconvs[level](x), feature),
                    _crop(self.upsample_flows[level](flows[0]), feature),
                ],
                dim=1,
            )
            x = self.smooth_convs[level](x)
            flows.insert(0, self.predict_flows[level](x))
        return tuple(flows)


class _MotionNetBase(BaseModule):
    """Encoder and decoder; a subclass says which, and how a clip is encoded."""

    # of the encoder's features and of the decoder's, both from fine to coarse
    feature_channels = (128, 256, 512, 512, 1024)
    decoder_channels = (64, 128, 256, 512)

    def __init__(
        self,
        num_frames: int = MAX_FRAMES,
        init_cfg: dict | list[dict] | None = None,
        smooth_convs: bool = True,
    ) -> None:
        if not MIN_FRAMES <= num_frames <= MAX_FRAMES:
            raise ValueError(
                f"num_frames={num_frames}, but {type(self).__name__} takes "
                f"{MIN_FRAMES} to {MAX_FRAMES} frames"
            )
        super().__init__(_MSRA if init_cfg is None else init_cfg)
        self.num_frames = num_frames
        self.in_channels = 3 * num_frames
        self.flow_channels = 2 * (num_frames - 1)
        self._make_encoder()
        self.decoder = FlowDecoder(
            self.feature_channels,
            self.decoder_channels,
            self.flow_channels,
            smooth_convs,
        )

    def _make_encoder(self) -> None:
        """Add the layers that ``_encode`` needs, for ``in_channels``."""
        raise NotImplementedError

    def encode(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Features of clips (N, 3, T, H, W), from fine to coarse, (N, C, h, w) each."""
        expected = (3, self.num_frames)
        if clips.ndim != 5 or tuple(clips.shape[1:3]) != expected:
            raise ValueError(
                f"{type(self).__name__} takes clips (N, 3, T, H, W) with "
                f"T={self.num_frames} frames, got {tuple(clips.shape)}; num_frames, "
                f"clip_len of SampleFrames and FormatShape(input_format='NCTHW') must "
                f"go together"
            )
        return self._encode(clips.transpose(1, 2).flatten(1, 2))

    def _encode(self, x: Tensor) -> tuple[Tensor, ...]:
        """Features of (N, 3 T, H, W): frame after frame, each R, G, B."""
        raise NotImplementedError

    def forward(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Compute the flow between consecutive frames.

        Args:
            clips: (N, 3, T, H, W), RGB, minus the mean (123, 117, 104), divided by 255.
                Any H and W; multiples of the coarsest level's stride waste nothing.

        Returns:
            Flows from fine to coarse, at 1/2, 1/4, ... of the frames' size, each
            (N, 2 (T - 1), h, w): x to the right and y down from the first frame to the
            second, then from the second to the third, and so on, as
            :func:`flowzoo_kernels.multiscale_motion_loss` takes them. One unit is 20
            pixels of the frames (``flow_units.PIXELS_PER_UNIT``) at every scale.
        """
        return self.decoder(self.encode(clips))


@MODELS.register_module()
class MotionNet(_MotionNetBase):
    """The motion estimator of Hidden Two-Stream Convolutional Networks (section 3.1).

    Flows at 1/2, 1/4, 1/8, 1/16 and 1/32 of the frames' size. With 11 frames it has
    42,319,860 parameters, as the authors'. ``kernels`` and ``smooth_convs`` are for the
    paper's ablation.

    Args:
        num_frames: frames of a clip, 2 to 11.
        init_cfg: MSRA initialization unless given.
        kernels: of the first convolutions of levels 1 to 3. Small ones see small
            displacements; FlowNetS has 7, 5 and 5.
        smooth_convs: as of :class:`FlowDecoder`.
    """

    def __init__(
        self,
        num_frames: int = MAX_FRAMES,
        init_cfg: dict | list[dict] | None = None,
        kernels: Sequence[int] = (3, 3, 3),
        smooth_convs: bool = True,
    ) -> None:
        self.kernels = (*kernels, 3, 3, 3)  # of all levels, for _make_encoder
        super().__init__(num_frames, init_cfg, smooth_convs)

    def _make_encoder(self) -> None:
        channels = self.in_channels
        widths = 64, 128, 256, 512, 512, 1024
        layers = zip(widths, self.kernels, strict=True)
        for level, (width, kernel) in enumerate(layers, 1):
            stride = 1 if level == 1 else 2
            self.add_module(f"conv{level}", _conv(channels, width, kernel, stride))
            self.add_module(f"conv{level}_1", _conv(width, width))
            channels = width

    def _encode(self, x: Tensor) -> tuple[Tensor, ...]:
        features = []
        for level in range(1, 7):
            x = getattr(self, f"conv{level}")(x)
            x = getattr(self, f"conv{level}_1")(x)
            features.append(x)
        return tuple(features[1:])


@MODELS.register_module()
class TinyMotionNet(_MotionNetBase):
    """The smallest network of the paper's architecture search (its appendix).

    Flows at 1/2, 1/4 and 1/8 of the frames' size; 1.95 M parameters with 11 frames.
    Arguments as of :class:`MotionNet`.
    """

    feature_channels = (128, 256, 128)
    decoder_channels = (64, 128)

    def _make_encoder(self) -> None:
        self.conv1 = _conv(self.in_channels, 64, kernel=7)
        self.conv2 = _conv(64, 128, kernel=5, stride=2)
        self.conv3 = _conv(128, 256, stride=2)
        self.conv4 = _conv(256, 128, stride=2)

    def _encode(self, x: Tensor) -> tuple[Tensor, ...]:
        fine = self.conv2(self.conv1(x))
        middle = self.conv3(fine)
        return fine, middle, self.conv4(middle)


@MODELS.register_module()
class VGG16MotionNet(_MotionNetBase):
    """VGG16's convolutions, MotionNet's conv6 and decoder (architecture search).

    Flows at 1/2 to 1/32. The paper gives a size only, 195 MB; this has 190 MB.
    Arguments as of :class:`MotionNet`.
    """

    def _make_encoder(self) -> None:
        channels = self.in_channels
        stages = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
        self.stages = nn.ModuleList()
        for width, count in stages:
            *convs, _ = make_vgg_layer(channels, width, count)
            self.stages.append(nn.Sequential(*convs))
            channels = width
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.conv6 = _conv(512, 1024)
        self.conv6_1 = _conv(1024, 1024)

    def _encode(self, x: Tensor) -> tuple[Tensor, ...]:
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
            x = self.pool(x)
        return *features[1:], self.conv6_1(self.conv6(x))


@MODELS.register_module()
class ResNet50MotionNet(_MotionNetBase):
    """ResNet-50 with MotionNet's decoder (architecture search).

    Flows at 1/2 to 1/32. The paper gives a size only, 213 MB, which this has, too.
    Arguments as of :class:`MotionNet`.
    """

    feature_channels = (64, 256, 512, 1024, 2048)

    def _make_encoder(self) -> None:
        self.resnet = ResNet(50, in_channels=self.in_channels)

    def _encode(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.resnet.conv1(x)
        features = [x]
        x = self.resnet.maxpool(x)
        for name in self.resnet.res_layers:
            x = getattr(self.resnet, name)(x)
            features.append(x)
        return tuple(features)
