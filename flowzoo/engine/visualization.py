"""Images of flow, drawn while a model is validated or tested."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
from mmaction.registry import HOOKS
from mmaction.structures import ActionDataSample
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from flowzoo.compat import VisualizationHook
from flowzoo.visualization import (
    FlowRecorder,
    first_clip,
    flow_to_color,
    write_flow_images,
)


def flow_image(
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
    every validation, into the visualizer's folder of the run. An image holds the two
    middle frames of a clip, the flow between them and, where known, the true flow.

    Args:
        enable: draw in validation and test. ``tools/test.py --show-dir`` sets it.
        interval: every so many samples.
        out_dir: folder for the images; without it they go to the visualizer.
        kwargs: show and wait_time, which ``tools/test.py`` sets, too.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 100,
        out_dir: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(enable, interval, out_dir=out_dir, **kwargs)
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
            image = flow_image(
                clip[:, pair], clip[:, pair + 1], sample.pred_flow[pair], truth
            )
            name = f"flow_{number:05d}"
            if self.show:
                wait = self.draw_args.get("wait_time", 0)
                self._visualizer.show(image, name, wait_time=wait)
            if self._out_dir is None:
                self._visualizer.add_image(name, image, step)
            else:
                path = self.file_client.join_path(self._out_dir, f"{name}_{step}.png")
                mmcv.imwrite(image[..., ::-1], path)


@HOOKS.register_module()
class RepFlowVisualizationHook(Hook):
    """Write the representation flow of some samples as PNG images and videos.

    For any model with :class:`flowzoo_kernels.RepresentationFlow` layers; of several
    views or clips of a sample the first is drawn. Files go to
    ``OUT_DIR/val_epoch_E/SAMPLE/LAYER/`` after E epochs of training, or to
    ``OUT_DIR/test/SAMPLE/LAYER/``; see
    :func:`flowzoo.visualization.write_flow_images` for what is in them.

    Args:
        interval: every how many samples one is drawn, from the first.
        max_samples: samples drawn in each validation or test.
        out_dir: None takes ``flow_pictures`` in the run's folder of logs.
        channels, max_flow, rate: see
            :func:`flowzoo.visualization.write_flow_images`.

    In distributed runs, the main process draws its own samples.

    Raises:
        ValueError: The model has no representation-flow layer.
    """

    def __init__(
        self,
        interval: int = 50,
        max_samples: int = 8,
        out_dir: str | None = None,
        channels: Sequence[int] | None = None,
        max_flow: float | None = None,
        rate: int = 8,
    ) -> None:
        if interval < 1:
            raise ValueError(f"interval={interval}, but at least 1 is needed")
        self.interval = interval
        self.max_samples = max_samples
        self.out_dir = out_dir
        self.options = dict(channels=channels, max_flow=max_flow, rate=rate)
        self._recorder: FlowRecorder | None = None

    def before_val(self, runner: Runner) -> None:
        self._begin(runner)

    def before_test(self, runner: Runner) -> None:
        self._begin(runner)

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        self._record(data_batch)

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        self._record(data_batch)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        self._draw(runner, f"val_epoch_{runner.epoch}", data_batch)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        self._draw(runner, "test", data_batch)

    def _begin(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._recorder = FlowRecorder(model)
        self._seen = self._drawn = 0

    def _record(self, data_batch: dict) -> None:
        """Choose samples of the batch; record the flow if there are any."""
        first, self._seen = self._seen, self._seen + len(data_batch["inputs"])
        left = self.max_samples - self._drawn if is_main_process() else 0
        numbers = range(-(-first // self.interval) * self.interval, self._seen)
        self._chosen = [(n, n - first) for n in numbers[:: self.interval][:left]]
        if self._chosen:
            self._recorder.__enter__()

    def _draw(self, runner: Runner, stage: str, data_batch: dict) -> None:
        if not self._chosen:
            return
        self._recorder.__exit__()
        out_dir = Path(self.out_dir or Path(runner.log_dir) / "flow_pictures")
        inputs = data_batch["inputs"]
        for layer, flow in self._recorder.flows.items():
            num_clips = len(flow) // len(inputs)
            for number, place in self._chosen:
                write_flow_images(
                    out_dir / stage / f"{number:06d}" / layer,
                    first_clip(inputs[place], num_clips),
                    flow[place * num_clips],
                    **self.options,
                )
        self._drawn += len(self._chosen)
