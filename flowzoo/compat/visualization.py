"""mmaction2's visualization, for the data samples that mmaction2 1.2 produces."""

from collections.abc import Sequence

from mmaction.engine.hooks import VisualizationHook as MMActionVisualizationHook
from mmaction.registry import HOOKS, VISUALIZERS
from mmaction.structures import ActionDataSample
from mmaction.visualization import ActionVisualizer as MMActionVisualizer
from mmengine.structures import LabelData


@VISUALIZERS.register_module(force=True)
class ActionVisualizer(MMActionVisualizer):
    """mmaction2's visualizer, which otherwise draws no labels.

    It looks for ``gt_labels`` and ``pred_labels``; the data samples of mmaction2 1.2
    hold ``gt_label``, ``pred_label`` and ``pred_score``.
    """

    def add_datasample(
        self, name: str, video, data_sample: ActionDataSample | None = None, **kwargs
    ) -> None:
        if data_sample is not None:
            data_sample = data_sample.clone()
            if "gt_label" in data_sample:
                data_sample.gt_labels = data_sample.gt_label
            if "pred_label" in data_sample:
                data_sample.pred_labels = LabelData(
                    item=data_sample.pred_label, score=data_sample.pred_score
                )
        return super().add_datasample(name, video, data_sample, **kwargs)


@HOOKS.register_module(force=True)
class VisualizationHook(MMActionVisualizationHook):
    """mmaction2's hook behind ``tools/test.py --show-dir DIR`` and ``--show``.

    mmaction2's own passes its visualizer an argument that it does not have (``got an
    unexpected keyword argument 'show'``), and takes the views of a sample for its
    channels. Of several views of a clip the first is drawn.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 5000,
        show: bool = False,
        out_dir: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(enable, interval, show, out_dir)
        self.draw_args = {**kwargs, "show_frames": show}

    def _draw_samples(
        self,
        batch_idx: int,
        data_batch: dict,
        data_samples: Sequence[ActionDataSample],
        step: int = 0,
    ) -> None:
        if not self.enable:
            return
        # (views, C, T, H, W) of 3D and (frames, C, H, W) of 2D recognizers
        inputs = data_batch["inputs"]
        clips = [x[0] if x.ndim == 5 else x.transpose(0, 1) for x in inputs]
        super()._draw_samples(batch_idx, {"inputs": clips}, data_samples, step)
