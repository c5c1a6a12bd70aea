"""Metrics of optical flow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor

from flowzoo_kernels import backward_warp

# KITTI's outliers: an error above both, in pixels and relative to the true length.
_OUTLIER_PIXELS, _OUTLIER_SHARE = 3.0, 0.05


def end_point_error(flow: Tensor, truth: Tensor) -> Tensor:
    """Length of the difference at each pixel; NaN where the truth is not known.

    Args:
        flow, truth: (..., 2, H, W).

    Returns:
        (..., H, W).
    """
    return torch.linalg.vector_norm(flow - truth, dim=-3)


def is_outlier(error: Tensor, truth: Tensor) -> Tensor:
    """KITTI's outliers (Fl): errors above 3 pixels and 5 % of the true length, and NaN.

    Args:
        error: (..., H, W), the end-point error.
        truth: (..., 2, H, W).
    """
    length = torch.linalg.vector_norm(truth, dim=-3)
    return ~((error <= _OUTLIER_PIXELS) | (error <= _OUTLIER_SHARE * length))


def photometric_error(first: Tensor, second: Tensor, flow: Tensor) -> Tensor:
    """Mean absolute difference of the first frames and the second ones, warped.

    Args:
        first, second: (N, C, H, W). What lies outside continues the border.
        flow: (N, 2, H, W) in pixels.

    Returns:
        (N,), in the unit of the frames.
    """
    return (first - backward_warp(second, flow, "border")).abs().mean((1, 2, 3))


@METRICS.register_module()
class FlowMetric(BaseMetric):
    """End-point error and outliers of flow, and how well it rebuilds the frames.

    Takes data samples with ``pred_flow``, and with ``gt_flow`` where the true flow is
    known, (pairs, 2, H, W) each, and the clips of the batch, (clips, 3, T, H, W).

    - ``flow/EPE``: mean end-point error in pixels, over all pixels with true flow;
      ``flow/EPE_zero``: that of zero flow.
    - ``flow/Fl-all``: per cent of pixels with an error above 3 pixels and 5 %.
    - ``flow/photometric``: mean absolute difference in gray levels of each frame and
      the next one warped to it; ``flow/photometric_zero``: of the frames as they are.

    Without any true flow, only the last two.
    """

    default_prefix = "flow"

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for clips, sample in zip(data_batch["inputs"], data_samples, strict=True):
            flow = sample["pred_flow"].float().cpu()
            clips = clips.float().cpu().transpose(1, 2)  # (clips, T, 3, H, W)
            first, second = clips[:, :-1].flatten(0, 1), clips[:, 1:].flatten(0, 1)
            still = torch.zeros_like(flow)
            sums = {
                "pairs": len(flow),
                "photometric": float(photometric_error(first, second, flow).sum()),
                "photometric_zero": float((first - second).abs().mean((1, 2, 3)).sum()),
            }
            if "gt_flow" in sample:
                truth = sample["gt_flow"].float().cpu()
                error = end_point_error(flow, truth)
                known = truth.isfinite().all(1)  # NaN of a network shows
                sums |= {
                    "pixels": int(known.sum()),
                    "EPE": float(error[known].double().sum()),
                    "EPE_zero": float(
                        end_point_error(still, truth)[known].double().sum()
                    ),
                    "Fl-all": 100.0 * int(is_outlier(error, truth)[known].sum()),
                }
            self.results.append(sums)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        def mean(name: str, by: str) -> float:
            number = sum(r.get(by, 0) for r in results)
            return sum(r.get(name, 0.0) for r in results) / number

        metrics = {}
        if any(r.get("pixels") for r in results):
            for name in ("EPE", "EPE_zero", "Fl-all"):
                metrics[name] = mean(name, "pixels")
        for name in ("photometric", "photometric_zero"):
            metrics[name] = mean(name, "pairs")
        return metrics
