"""The temporal stream of hidden two-stream networks: MotionNet and a classifier.

Zhu, Lan, Newsam, Hauptmann: Hidden Two-Stream Convolutional Networks for Action
Recognition, ACCV 2018 (arXiv 1704.00389).
"""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from ..layers.cross_modality import load_first_conv
from ..layers.flow_to_image import FlowToImage

# How the motion estimator is trained: not at all, by the action's loss, or by that and
# its own losses; modes (a), (b) and (c) of the paper's table.
MOTION_TRAINING = ("fixed", "action", "all")
LAYOUTS = ("channels", "time")


class _TemporalStream(BaseModule):
    """A motion estimator and a classifier; a subclass says how they are joined."""

    def __init__(
        self,
        motion_net: dict,
        temporal: dict,
        train_motion: str = "all",
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if train_motion not in MOTION_TRAINING:
            raise ValueError(
                f"train_motion={train_motion!r}, but it must be one of "
                f"{MOTION_TRAINING}"
            )
        super().__init__(init_cfg)
        self.train_motion = train_motion
        self.motion_net = MODELS.build(motion_net)
        self.temporal = MODELS.build(temporal)
        if train_motion == "fixed":
            self.motion_net.requires_grad_(False)

    def train(self, mode: bool = True) -> _TemporalStream:
        super().train(mode)
        if self.train_motion == "fixed":
            self.motion_net.eval()
        return self

    def _motion_gradients(self) -> torch.set_grad_enabled:
        """A context without gradients where the motion estimator is fixed."""
        trained = self.train_motion != "fixed"
        return torch.set_grad_enabled(torch.is_grad_enabled() and trained)

    @property
    def _needs_flows(self) -> bool:
        return self.training and self.train_motion == "all"


@MODELS.register_module()
class StackedTemporalStream(_TemporalStream):
    """MotionNet under a temporal CNN (Zhu et al., section 3.3, the better alternative).

    Clips become flow, flow becomes images, and these are classified: by a 2D network
    on a stack of all flows, or by a 3D network (I3D) on their sequence. Images have the
    frames' size. To be used with ``Recognizer3D``, ``MotionLossNeck`` and
    ``ClipConsensusHead``.

    Args:
        motion_net: config of MotionNet or a variant. Its trained weights come in by
            ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')``.
        temporal: config of the CNN. With ``pretrained`` weights for RGB images, its
            first layer becomes the mean over the colors (cross-modality
            initialization).
        layout: 'channels' for a 2D network with ``in_channels=2 * flows``, 'time' for
            a 3D network with ``in_channels=2``.
        flow_to_image: arguments of :class:`flowzoo.models.layers.FlowToImage`.
        **kwargs: ``train_motion``: 'fixed' freezes MotionNet; 'action' trains it by the
            loss of the classifier; 'all', the default, also by its own losses, for
            which ``MotionLossNeck`` gets frames and flows. ``init_cfg``: of mmengine's
            ``BaseModule``.
    """

    def __init__(
        self,
        motion_net: dict,
        temporal: dict,
        layout: str = "channels",
        flow_to_image: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(motion_net, temporal, **kwargs)
        if layout not in LAYOUTS:
            raise ValueError(f"layout={layout!r}, but it must be one of {LAYOUTS}")
        self.layout = layout
        self.flow_to_image = FlowToImage(**(flow_to_image or {}))

    def init_weights(self) -> None:
        if self.is_init:
            return
        super().init_weights()
        pretrained = getattr(self.temporal, "pretrained", None)
        if pretrained:
            load_first_conv(self.temporal, pretrained)

    def forward(
        self, clips: Tensor
    ) -> Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Compute the features of clips.

        Args:
            clips: (N, 3, T, H, W), normalized as MotionNet takes them. Clips longer
                than its ``num_frames`` are cut into W windows that share their first
                and last frames: T = W (num_frames - 1) + 1.

        Returns:
            Features (N, C, T', h, w), T' = 1 for a 2D network. In training with
            ``train_motion='all'`` also the windows (N W, 3, num_frames, H, W) and their
            flows, as ``multiscale_motion_loss`` takes them.
        """
        windows = self._windows(clips)
        with self._motion_gradients():
            flows = self.motion_net(windows)
        h, w = clips.shape[-2:]
        halved = tuple(flows[0].shape[-2:]) != (h, w)  # or of the frames' size already
        images = self.flow_to_image(flows[0], enlarge=halved)[..., :h, :w]
        images = images.reshape(clips.shape[0], -1, *images.shape[2:])
        if self.layout == "time":
            images = images.unflatten(1, (-1, 2)).transpose(1, 2)
        features = self.temporal(images)
        if features.ndim == 4:
            features = features.unsqueeze(2)
        return (features, windows, flows) if self._needs_flows else features

    def _windows(self, clips: Tensor) -> Tensor:
        frames = self.motion_net.num_frames
        if clips.ndim != 5 or clips.shape[2] < 2 or (clips.shape[2] - 1) % (frames - 1):
            raise ValueError(
                f"{type(self).__name__} takes clips (N, 3, T, H, W) with T - 1 a "
                f"multiple of {frames - 1}, as {type(self.motion_net).__name__} takes "
                f"{frames} frames, got {tuple(clips.shape)}; set clip_len of "
                f"SampleFrames, and FormatShape(input_format='NCTHW')"
            )
        if clips.shape[2] == frames:
            return clips
        windows = clips.unfold(2, frames, frames - 1)  # (N, 3, W, H, W, frames)
        return windows.permute(0, 2, 1, 5, 3, 4).flatten(0, 1)


@MODELS.register_module()
class BranchedTemporalStream(_TemporalStream):
    """A classifier on MotionNet's own features (the paper's worse alternative).

    The classifier sees the coarsest features of the encoder, which it shares with the
    decoder; flow is computed for the motion losses only. To be used with
    ``Recognizer3D``, ``MotionLossNeck`` and ``ClipConsensusHead``.

    Args:
        motion_net: as of :class:`StackedTemporalStream`.
        temporal: config of the classifier, such as ``VGGClassifier`` with
            ``in_channels=1024``.
        **kwargs: as of :class:`StackedTemporalStream`. With ``train_motion='action'``
            the decoder has no gradient, and is frozen.
    """

    def __init__(self, motion_net: dict, temporal: dict, **kwargs) -> None:
        super().__init__(motion_net, temporal, **kwargs)
        if not hasattr(self.motion_net, "encode"):
            raise TypeError(
                f"motion_net is {type(self.motion_net).__name__}, but the classifier "
                "needs the features of one network, such as MotionNet or "
                "TinyMotionNet; StackedTemporalStream takes others"
            )
        if self.train_motion == "action":
            self.motion_net.decoder.requires_grad_(False)

    def forward(
        self, clips: Tensor
    ) -> Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Features (N, C, 1, h, w) of clips (N, 3, num_frames, H, W).

        In training with ``train_motion='all'`` also the clips and their flows.
        """
        with self._motion_gradients():
            shared = self.motion_net.encode(clips)
            flows = self.motion_net.decoder(shared) if self._needs_flows else ()
        features = self.temporal(shared[-1]).unsqueeze(2)
        return (features, clips, flows) if self._needs_flows else features
