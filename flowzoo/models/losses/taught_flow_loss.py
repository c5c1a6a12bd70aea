"""Distance to the flow that a trained MotionNet gives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModule
from torch import Tensor

from ..flow_units import flow_in_pixels
from .flow_losses import SupervisedFlowLoss


@MODELS.register_module()
class TaughtFlowLoss(BaseModule):
    """``SupervisedFlowLoss`` whose true flow is what a fixed MotionNet predicts.

    Args:
        motion_net: config of MotionNet or a variant, with its weights in ``init_cfg``.
            It sees the clips as the network does, so that the data preprocessor has to
            normalize them as MotionNet takes them.
        **kwargs: of :class:`SupervisedFlowLoss`.
    """

    def __init__(self, motion_net: dict, **kwargs) -> None:
        super().__init__()
        self.motion_net = MODELS.build(motion_net).requires_grad_(False)
        self.distance = SupervisedFlowLoss(**kwargs)

    def train(self, mode: bool = True) -> TaughtFlowLoss:
        super().train(mode)
        self.motion_net.eval()
        return self

    def forward(
        self,
        clips: Tensor,
        flows: Sequence[Tensor],
        data_samples: Sequence[ActionDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Losses of flows (N, 2 (T - 1), h, w) of clips (N, 3, T, H, W)."""
        frames = self.motion_net.num_frames
        if (clips.shape[2] - 1) % (frames - 1):
            raise ValueError(
                f"the teacher takes {frames} frames, so that T - 1 must be a multiple "
                f"of {frames - 1}, but the clips have shape {tuple(clips.shape)}; set "
                "clip_len of SampleFrames"
            )
        windows = clips.unfold(2, frames, frames - 1)  # (N, 3, windows, H, W, frames)
        windows = windows.permute(0, 2, 1, 5, 3, 4).flatten(0, 1)
        with torch.no_grad():
            taught = flow_in_pixels(self.motion_net(windows)[0], clips.shape[-2:])
        taught = taught.unflatten(0, (len(clips), -1)).flatten(1, 2)
        samples = []
        for flow in taught:  # (T - 1, 2, H, W)
            samples.append(ActionDataSample())
            samples[-1].set_field(flow, "gt_flow")
        return self.distance(clips, flows, samples)
