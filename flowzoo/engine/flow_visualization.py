"""Pictures of predicted flow."""

from __future__ import annotations

from collections.abc import Sequence

import mmcv
import numpy as np
from mmaction.engine.hooks import VisualizationHook
from mmaction.registry import HOOKS
from mmaction.structures import ActionDataSample
from torch import Tensor

from flowzoo.visualization import flow_to_color


def flow_picture(
    first: Tensor, second: Tensor, flow: Tensor, truth: Tensor | None = None
) -> np.ndarray:
    """Two frames, the flow between them and the true flow side by side.

    Args:
        first, second: (3, H, W) RGB in [0, 255].
        flow: (2, H, W) in pixels.
        truth: (2, H, W), drawn in the same scale.

    Returns:
        (H, W * 3 or 4, 3) uint8, RGB.
    """
    frames = [
        f.permute(1, 2, 0).cpu().numpy().astype(np.uint8) for f in (first, second)
    ]
    flows = [flow] if truth is None else [flow, truth]
    longest = max(float(f.norm(dim=0).nan_to_num(0).max()) for f in flows)
    colors = [flow_to_color(f, longest or None) for f in flows]
    return np.concatenate([*frames, *colors], axis=1)


@HOOKS.register_module()
class FlowVisualizationHook(VisualizationHook):
    """Draw the flow of validation and test samples.

    Takes the place of ``VisualizationHook`` in ``default_hooks``, so that
    ``tools/test.py --show-dir DIR`` draws flow; with ``enable=True`` it draws after
    every validation, into the visualizer's folder of the run. A picture holds the two
    middle frames of a clip, the flow between them and, where known, the true flow.

    Args:
        enable: draw in validation and test. ``tools/test.py --show-dir`` sets it.
        interval: every so many samples.
        out_dir: folder for the pictures; without it they go to the visualizer.
        kwargs: show and wait_time, which ``tools/test.py`` sets, too.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 100,
        out_dir: str | None = None,
        **kwargs,
    ) -> None:
        show = kwargs.pop("show", False)
        super().__init__(enable, interval, show, out_dir, **kwargs)
        self._out_dir = out_dir

    def _draw_samples(
        self,
        batch_idx: int,
        data_batch: dict,
        data_samples: Sequence[ActionDataSample],
        step: int = 0,
    ) -> None:
        if not self.enable:
            return
        first = batch_idx * len(data_samples)
        for i, sample in enumerate(data_samples):
            number = first + i
            if number % self.interval:
                continue
            clip = data_batch["inputs"][i][0]  # (3, T, H, W)
            pair = (clip.shape[1] - 2) // 2
            truth = sample.gt_flow[pair] if "gt_flow" in sample else None
            picture = flow_picture(
                clip[:, pair], clip[:, pair + 1], sample.pred_flow[pair], truth
            )
            name = f"flow_{number:05d}"
            if self.show:
                wait = self.draw_args.get("wait_time", 0)
                self._visualizer.show(picture, name, wait_time=wait)
            if self._out_dir is None:
                self._visualizer.add_image(name, picture, step)
            else:
                path = self.file_client.join_path(self._out_dir, f"{name}_{step}.png")
                mmcv.imwrite(picture[..., ::-1], path)
