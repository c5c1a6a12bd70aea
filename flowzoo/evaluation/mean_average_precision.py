"""Mean average precision of untrimmed videos with several labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmaction.evaluation import mean_average_precision
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric


@METRICS.register_module()
class UntrimmedMAP(BaseMetric):
    """mAP over untrimmed videos, from the scores of windows of them.

    The protocol of THUMOS14 and ActivityNet: a network that was trained on trimmed
    videos scores windows of a long video, which has one score of each class afterward
    and any number of true classes; average precision of each class that occurs, without
    interpolation, averaged over these classes.

    The windows of a video are the samples of one file name (``filename``, in
    ``meta_keys`` of ``PackActionInputs``) and, where the head has
    ``average_clips=None``, the clips and crops of one sample. The true classes of a
    video are those of any of its windows.

    Args:
        top_k: windows whose scores are averaged, for each class the best ones; all of
            them unless given. 1 takes the maximum.
        collect_device, prefix: of mmengine's ``BaseMetric``.

    Returns:
        ``mAP``, and ``videos`` and ``classes`` that it was taken over.

    Raises:
        ValueError: top_k below 1; labels or scores that do not go together; scores that
            are not finite; no video with a true class.
    """

    default_prefix = "acc"

    def __init__(
        self,
        top_k: int | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k={top_k}, but at least 1 window is needed")
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.top_k = top_k

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep the scores (classes,) or (windows, classes) and labels of a batch."""
        for sample in data_samples:
            scores = sample["pred_score"].detach().float().cpu().numpy()
            name = sample.get("filename")
            scores = scores.reshape(-1, scores.shape[-1])
            if not np.isfinite(scores).all():
                raise ValueError(f"a score of {name or 'a video'} is NaN or infinite")
            label = _many_hot(sample["gt_label"].cpu().numpy(), scores.shape[1])
            self.results.append(dict(name=name, scores=scores, label=label))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Group the windows by video and average the precision over classes."""
        videos = {}
        for number, window in enumerate(results):
            # without a file name, each sample is a video
            videos.setdefault(window["name"] or number, []).append(window)
        scores = np.stack([self._combine(windows) for windows in videos.values()])
        labels = np.stack(
            [np.max([w["label"] for w in windows], 0) for windows in videos.values()]
        )
        occurring = labels.any(0)
        if not occurring.any():
            raise ValueError(
                "no video has a true class, so there is no average precision; give "
                "labels in the annotation file"
            )
        precision = mean_average_precision(
            list(scores[:, occurring]), list(labels[:, occurring])
        )
        return dict(
            mAP=float(precision), videos=len(videos), classes=int(occurring.sum())
        )

    def _combine(self, windows: list[dict]) -> np.ndarray:
        scores = np.concatenate([w["scores"] for w in windows])
        if self.top_k is not None:
            scores = np.sort(scores, 0)[-self.top_k :]
        return scores.mean(0)


def _many_hot(label: np.ndarray, num_classes: int) -> np.ndarray:
    if label.size == num_classes and num_classes > 1:
        return label.reshape(-1) > 0
    if label.size != 1 or not -1 <= label.item() < num_classes:
        raise ValueError(
            f"a label has {label.size} entries (the first is {label.flat[0]}), for "
            f"scores of {num_classes} classes; give one class number, or a 0 or 1 for "
            "each class (multi_class=True and num_classes of the dataset)"
        )
    many_hot = np.zeros(num_classes, bool)
    if label.item() >= 0:
        many_hot[label.item()] = True
    return many_hot
