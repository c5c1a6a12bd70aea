"""Losses of flow at several scales, without labels and with true flow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from flowzoo_kernels import multiscale_motion_loss
from flowzoo_kernels.motion_loss.op import SSIM_WEIGHTS

from ..flow_units import PIXELS_PER_UNIT, reduction

NORMS = ("epe", "l1")


@MODELS.register_module()
class UnsupervisedFlowLoss(nn.Module):
    """MotionNet's losses, as :func:`flowzoo_kernels.multiscale_motion_loss` has them.

    Args:
        flow_scales: pixels of the reduced frames per unit of flow at each scale, from
            fine to coarse. None takes those of flow in units of 20 pixels of the
            frames: the published ones for flow that begins at half the frames' size.
        ssim_weights: of each scale; None takes the published ones. They are a tenth of
            these in training end to end.
        options: of multiscale_motion_loss and motion_loss: photometric_weights,
            smoothness_weights, border, normalization, backend and others.
    """

    def __init__(
        self,
        flow_scales: Sequence[float] | None = None,
        ssim_weights: Sequence[float] | None = None,
        **options,
    ) -> None:
        super().__init__()
        self.flow_scales = flow_scales
        self.ssim_weights = ssim_weights
        self.options = options

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
            ``loss_motion`` and, for the log, its parts without their weights:
            ``photometric_2`` at half the frames' size, and so on.
        """
        finest = PIXELS_PER_UNIT / reduction(clips, flows[0])
        scales = [finest / 2**level for level in range(len(flows))]
        loss, parts = multiscale_motion_loss(
            clips,
            flows,
            flow_scales=self.flow_scales or scales,
            ssim_weights=self.ssim_weights or SSIM_WEIGHTS[: len(flows)],
            **self.options,
        )
        losses = {"loss_motion": loss}
        for part, values in parts.items():
            for flow, value in zip(flows, values, strict=True):
                losses[f"{part}_{reduction(clips, flow)}"] = value
        return losses


@MODELS.register_module()
class SupervisedFlowLoss(nn.Module):
    """Distance to the true flow at each scale, in pixels of the frames.

    The true flow is averaged down to the size of each scale. Where half of what is
    averaged or more is not known (NaN), nothing is compared.

    Args:
        norm: 'epe', the length of the difference, or 'l1', the sum of its components'
            absolute values.
        weights: of each scale, from fine to coarse; 1 unless given.
    """

    def __init__(
        self, norm: str = "epe", weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm={norm!r}; choose one of {NORMS}")
        self.norm = norm
        self.weights = weights

    def forward(
        self,
        clips: Tensor,
        flows: Sequence[Tensor],
        data_samples: Sequence[ActionDataSample],
    ) -> dict[str, Tensor]:
        """Losses of flows.

        Args:
            clips: (N, 3, T, H, W).
            flows: from fine to coarse, (N, 2 (T - 1), h, w) each.
            data_samples: with ``gt_flow``, (pairs, 2, H, W) in pixels, the pairs of all
                clips of the sample. NaN: not known.

        Returns:
            ``loss_flow`` and, for the log, its parts without their weights: ``epe_2``
            at half the frames' size, and so on.
        """
        if not all("gt_flow" in sample for sample in data_samples):
            raise ValueError(
                "SupervisedFlowLoss needs gt_flow in every data sample: load true flow "
                "in the pipeline (LoadMotionShapesFlow, LoadFlowPair) and pack it by "
                "PackActionInputs(algorithm_keys=('gt_flow',))"
            )
        weights = self.weights or [1.0] * len(flows)
        if len(weights) != len(flows):
            raise ValueError(f"{len(weights)} weights for {len(flows)} scales of flow")
        truth = torch.cat([sample.gt_flow for sample in data_samples]).to(clips)
        size = tuple(clips.shape[-2:])
        pairs = clips.shape[0] * (clips.shape[2] - 1)
        if tuple(truth.shape) != (pairs, 2, *size):
            raise ValueError(
                f"the true flows of the batch have shape {tuple(truth.shape)}, but "
                f"{(pairs, 2, *size)} goes with clips {tuple(clips.shape)}; put every "
                f"transform that moves pixels into TransformWithFlow"
            )
        known = truth.isfinite().all(1, keepdim=True)
        truth = torch.where(known, truth, 0)
        losses = {"loss_flow": clips.new_zeros(())}
        for weight, flow in zip(weights, flows, strict=True):
            share = F.adaptive_avg_pool2d(known.to(truth.dtype), flow.shape[-2:])
            mean = F.adaptive_avg_pool2d(truth, flow.shape[-2:])
            mean = mean / share.clamp(min=1e-6)
            found = PIXELS_PER_UNIT * flow.float().unflatten(1, (-1, 2)).flatten(0, 1)
            order = 2 if self.norm == "epe" else 1
            distance = torch.linalg.vector_norm(found - mean, order, dim=1)
            counted = share[:, 0] > 0.5
            value = (distance * counted).sum() / counted.sum().clamp(min=1)
            losses["loss_flow"] = losses["loss_flow"] + weight * value
            losses[f"{self.norm}_{reduction(clips, flow)}"] = value.detach()
        return losses
