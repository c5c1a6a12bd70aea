"""Flow learned from what descent on the motion losses makes of it, without labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from flowzoo_kernels import motion_loss
from flowzoo_kernels.frame_pyramid import frame_pyramid
from flowzoo_kernels.motion_loss.op import SSIM_WEIGHTS

from ..flow_units import PIXELS_PER_UNIT, reduction


def _resize(flow: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(flow.shape[-2:]) == size:
        return flow
    return F.interpolate(flow, size, mode="bilinear", align_corners=True)


@MODELS.register_module()
class RefinedFlowLoss(nn.Module):
    """Distance to the network's own flow after some steps of descent on its losses.

    MotionNet's losses change slowly with a network's weights and quickly with a flow.
    So in every iteration a few steps of Adam improve the finest flow itself, by fields
    of several sizes that are added to it: a step of a coarse one moves a region. The
    network learns the end-point error to the result at every scale. Smoothness may
    weigh more here than in direct training, where it holds networks at zero flow.

    Not in the paper; ``benchmarks/NOTES.md`` says what it brings.

    Args:
        steps: of Adam, in each iteration.
        step_size: pixels of the frames by which the first step moves flow at most; the
            last one by a fiftieth of that.
        num_fields: fields at 1, 1/2, 1/4, ... of the flow's size.
        smoothness_weight, ssim_weight: against the photometric term, at the scale of
            the finest flow.
        options: of motion_loss, such as border and photometric_alpha.
    """

    def __init__(
        self,
        steps: int = 30,
        step_size: float = 0.4,
        num_fields: int = 3,
        smoothness_weight: float = 6.0,
        ssim_weight: float = SSIM_WEIGHTS[0],
        **options,
    ) -> None:
        super().__init__()
        for name, value in (("steps", steps), ("num_fields", num_fields)):
            if value < 1:
                raise ValueError(f"{name}={value}, but at least 1 is needed")
        self.steps = steps
        self.rate = step_size / PIXELS_PER_UNIT / num_fields
        self.num_fields = num_fields
        self.options = dict(
            weights=(1.0, smoothness_weight, ssim_weight),
            border=0.0,
        )
        self.options |= options

    @torch.enable_grad()
    def refine(self, clips: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        """Improve flow by descent.

        Args:
            clips: (N, 3, T, H, W), minus their mean, divided by 255.
            flow: (N, 2 (T - 1), h, w), the finest of a network, in its units.

        Returns:
            Flow of the same shape in float32, and the loss before the last step.
        """
        flow = flow.detach().float()
        n, channels, *size = flow.shape
        size = tuple(size)
        (frames,) = frame_pyramid(clips, [size])
        colors = clips.shape[1]
        scale = PIXELS_PER_UNIT / reduction(clips, flow)
        options = dict(flow_scale=scale) | self.options
        pairs = frames[:, :-colors], frames[:, colors:]
        fields = [
            flow.new_zeros(n, channels, *(max(1, s >> i) for s in size))
            for i in range(self.num_fields)
        ]
        for field in fields:
            field.requires_grad_()
        optimizer = torch.optim.Adam(fields, self.rate)
        for step in range(self.steps):
            optimizer.param_groups[0]["lr"] = self.rate * (1 - 0.98 * step / self.steps)
            refined = flow + sum(_resize(field, size) for field in fields)
            loss, _ = motion_loss(*pairs, refined, **options)
            optimizer.zero_grad()
            (n * loss).backward()
            optimizer.step()
        refined = flow + sum(_resize(field.detach(), size) for field in fields)
        return refined, loss.detach()

    def forward(
        self,
        clips: Tensor,
        flows: Sequence[Tensor],
        data_samples: Sequence[ActionDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Losses of the flow between the frames of clips.

        Args:
            clips: (N, 3, T, H, W), minus their mean, divided by 255.
            flows: from fine to coarse, (N, 2 (T - 1), h, w) each.
            data_samples: not used.

        Returns:
            ``loss_flow``, in pixels of the frames, and for the log its part of each
            scale, ``epe_2`` at half the frames' size and so on, and
            ``refined_motion``, the losses that descent ends at.
        """
        with torch.autocast(clips.device.type, enabled=False):
            refined, motion = self.refine(clips, flows[0])
            losses = {"loss_flow": clips.new_zeros(()), "refined_motion": motion}
            for flow in flows:
                target = F.adaptive_avg_pool2d(refined, flow.shape[-2:])
                error = PIXELS_PER_UNIT * (flow.float() - target).unflatten(1, (-1, 2))
                value = torch.linalg.vector_norm(error, dim=2).mean()
                losses["loss_flow"] = losses["loss_flow"] + value
                losses[f"epe_{reduction(clips, flow)}"] = value.detach()
        return losses
