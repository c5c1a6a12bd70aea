"""A temporal stream on TVNet's flow."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from flowzoo_kernels import TVNet

from ..layers.cross_modality import load_first_conv

LAYOUTS = ("channels", "time")


@MODELS.register_module()
class TVNetTemporalStream(BaseModule):
    """TVNet under a temporal CNN.

    Fan et al.: End-to-End Learning of Motion Representation for Video Understanding,
    CVPR 2018 (arXiv 1804.00413). Their CNN takes a stack of flows
    (``layout='channels'``).

    Clips of RGB frames, from 0 to 255, become flow, cut off at a bound and scaled to
    [-1, 1], which the CNN classifies. All of it is trained by the loss of the action,
    and with ``MotionLossNeck`` and ``TVL1EnergyLoss`` also by the energy of the flow.

    Args:
        temporal: config of the CNN. With ``pretrained`` weights for RGB images, its
            first layer becomes the mean over the colors.
        flow: arguments of :class:`flowzoo_kernels.TVNet`.
        bound: of the flow, in pixels.
        layout: 'channels' for a 2D network with ``in_channels=2 * flows``, 'time' for
            a network that takes clips with ``in_channels=2``.
        energy: in training, hand clips and flow to ``MotionLossNeck`` too.
        init_cfg: of mmengine's ``BaseModule``.

    Raises:
        ValueError: an unknown layout, or a bound that is no positive number.
    """

    def __init__(
        self,
        temporal: dict,
        flow: dict | None = None,
        bound: float = 20.0,
        layout: str = "channels",
        energy: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if layout not in LAYOUTS:
            raise ValueError(f"layout={layout!r}, but it must be one of {LAYOUTS}")
        if not 0 < bound < float("inf"):
            raise ValueError(f"bound={bound}, but it must be a positive number")
        self.tvnet = TVNet(**(flow or {}))
        self.temporal = MODELS.build(temporal)
        self.bound = bound
        self.layout = layout
        self.energy = energy

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
        """Features (N, C, T', h, w) of clips (N, 3, T, H, W), T' = 1 for a 2D network.

        In training with ``energy`` also the clips and their flow (N, 2, T-1, H, W).

        Raises:
            ValueError: clips of another shape, or of a single frame.
        """
        with torch.autocast(clips.device.type, enabled=False):
            flow = self.tvnet(clips.float())
        images = flow.clamp(-self.bound, self.bound) / self.bound
        images = images.to(next(self.temporal.parameters()).dtype)
        if self.layout == "channels":
            images = images.transpose(1, 2).flatten(1, 2)
        features = self.temporal(images)
        if features.ndim == 4:
            features = features.unsqueeze(2)
        return (features, clips, (flow,)) if self.training and self.energy else features
