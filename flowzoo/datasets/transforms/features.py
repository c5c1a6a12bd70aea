"""From feature sequences to what a model takes."""

from __future__ import annotations

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class PackFeatures(BaseTransform):
    """Make tensors of a video's feature sequences and its labels.

    Takes ``features`` (a dict of (T, D) arrays) and ``label``; gives ``inputs`` (a dict
    of float tensors) and ``data_samples``. Streams that differ in length by
    ``max_difference`` steps at most are cut to the shortest: flow has a frame less.

    Args:
        num_classes: for several labels per video, the length of ``gt_label``, which
            then has a 0 or 1 for each class; None for one label per video.
        max_difference: in steps.
    """

    def __init__(self, num_classes: int | None = None, max_difference: int = 1) -> None:
        self.num_classes = num_classes
        self.max_difference = max_difference

    def transform(self, results: dict) -> dict:
        lengths = {name: len(x) for name, x in results["features"].items()}
        steps = min(lengths.values())
        if max(lengths.values()) - steps > self.max_difference:
            raise ValueError(
                f"the streams of {results.get('name')} differ in their number of "
                f"steps: {lengths}. Were they extracted at the same frame rate?"
            )
        inputs = {
            name: torch.from_numpy(np.asarray(x[:steps], dtype=np.float32))
            for name, x in results["features"].items()
        }
        sample = ActionDataSample()
        if self.num_classes is not None:
            target = torch.zeros(self.num_classes)
            target[list(results["label"])] = 1
            sample.set_gt_label(target)
        else:
            sample.set_gt_label(results["label"])
        sample.set_metainfo(dict(name=results.get("name")))
        return dict(inputs=inputs, data_samples=sample)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_classes={self.num_classes}, "
            f"max_difference={self.max_difference})"
        )


@TRANSFORMS.register_module()
class FlowAsFrames(BaseTransform):
    """Put ``gt_flow`` in the place of the frames, for a network on true flow.

    Required keys: ``gt_flow``, a list of (H, W, 2), and ``clip_len``. Changed keys:
    ``imgs`` and ``clip_len``, one less.
    """

    def transform(self, results: dict) -> dict:
        if "gt_flow" not in results:
            raise ValueError(
                "FlowAsFrames finds no flow; put TVL1Flow, or what loads the flow, "
                "before it"
            )
        flow, frame = results["gt_flow"][0], results["imgs"][0]
        if flow.shape[:2] != frame.shape[:2]:
            raise ValueError(
                f"flow of {flow.shape[:2]} pixels beside frames of {frame.shape[:2]}: "
                f"what changes frames after the flow is there has to be in "
                f"TransformWithFlow"
            )
        results["imgs"] = results.pop("gt_flow")
        results["clip_len"] -= 1
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
