"""The metrics of YouTube-8M, without keeping every score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor


@METRICS.register_module()
class YouTube8MMetric(BaseMetric):
    """Hit@1, PERR, GAP@20 and MAP@20 of videos with any number of labels.

    As the dataset's own ``eval_util.py`` defines them:

    - ``hit@1``: share of the videos whose best-scored class is one of their labels.
    - ``perr``: for a video with n labels, the share of labels among its n best classes
      (of those with a score above 0); the mean over videos.
    - ``gap@20``: the 20 best classes of every video in one list, in the order of their
      scores; the average precision of that list, in which recall counts the labels
      that are not among the 20, too.
    - ``map@20``: the same for each class's entries of that list; the mean over all
      classes, in which a class without labels counts 0, as it does there.

    Where their code leaves something to chance, this one does not: of equal scores in
    a video the lower class comes first, and equal scores of several videos share the
    precision after the last of them. A video without labels, which theirs cannot
    evaluate, counts 0 in ``hit@1`` and ``perr``.

    Only the k best scores and the labels of each video are kept, 4 * (2 + 2 k + n)
    bytes and Python's own, about half a kilobyte with k = 20 and n = 3 labels, however
    many classes there are. Nothing is rounded or binned: all four are exact.

    Args:
        top_k: k of GAP and MAP.
        collect_device, prefix: of mmengine's ``BaseMetric``.
    """

    default_prefix = "youtube8m"

    def __init__(
        self,
        top_k: int = 20,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if top_k < 1:
            raise ValueError(f"top_k should be at least 1, got {top_k}")
        self.top_k = top_k

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep what matters of a batch.

        Args:
            data_batch: not used.
            data_samples: with ``pred_score``, (C,) or a dict of such, and ``gt_label``,
                (C,) of 0 and 1.
        """
        for sample in data_samples:
            scores = sample["pred_score"]
            if not isinstance(scores, dict):
                scores = {"": scores}
            target = sample["gt_label"]
            self.results.append(
                {name: self._summary(s, target) for name, s in scores.items()}
            )

    def _summary(self, scores: Tensor, target: Tensor) -> bytes:
        """int32: C, hits among the n best, k classes, k scores' bits, n labels."""
        if scores.ndim != 1 or scores.shape != target.shape:
            raise ValueError(
                f"YouTube8MMetric needs a score and a 0 or 1 for each class, got "
                f"{tuple(scores.shape)} scores and a gt_label {tuple(target.shape)}; "
                "has PackFeatures its num_classes?"
            )
        scores = scores.detach().float().cpu().numpy()
        if not np.isfinite(scores).all():
            raise ValueError("a score is not finite")
        labels = np.flatnonzero(target.cpu().numpy())
        k = min(self.top_k, len(scores))
        order = best_classes(scores, max(k, len(labels)))
        n_best = order[: len(labels)]
        hits = (np.isin(n_best, labels) & (scores[n_best] > 0)).sum()
        bits = scores[order[:k]].view(np.int32)
        parts = ([len(scores), hits], order[:k], bits, labels)
        return np.concatenate(parts).astype(np.int32).tobytes()

    def compute_metrics(self, results: list[dict[str, bytes]]) -> dict[str, float]:
        """The metrics, for each name of scores."""
        metrics = {}
        for name in results[0]:
            rows = [np.frombuffer(result[name], np.int32) for result in results]
            before = f"{name}_" if name else ""
            metrics |= {f"{before}{k}": v for k, v in self._compute(rows).items()}
        return metrics

    def _compute(self, rows: list[np.ndarray]) -> dict[str, float]:
        num_classes = int(rows[0][0])
        k = min(self.top_k, num_classes)
        labels = [row[2 + 2 * k :] for row in rows]
        num_labels = np.array([len(row) for row in labels])
        best = np.stack([row[2 : 2 + k] for row in rows])  # (V, k)
        scores = np.stack([row[2 + k : 2 + 2 * k] for row in rows]).view(np.float32)
        correct = np.stack(
            [
                np.isin(listed, own, assume_unique=True)
                for listed, own in zip(best, labels, strict=True)
            ]
        )
        hits = np.array([row[1] for row in rows])
        positives = np.bincount(np.concatenate(labels), minlength=num_classes)
        best, scores, correct = best.ravel(), scores.ravel(), correct.ravel()
        by_class = np.argsort(best, kind="stable")
        ends = np.cumsum(np.bincount(best, minlength=num_classes))[:-1]
        precisions = [
            average_precision(scores[entries], correct[entries], count)
            for entries, count in zip(np.split(by_class, ends), positives, strict=True)
        ]
        return {
            "hit@1": float(correct.reshape(-1, k)[:, 0].mean()),
            "perr": float((hits / np.maximum(num_labels, 1)).mean()),
            f"gap@{self.top_k}": average_precision(scores, correct, positives.sum()),
            f"map@{self.top_k}": float(np.mean(precisions)),
        }


def best_classes(scores: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` best of (C,) scores, best first; of equal ones the lower class."""
    lowest = np.partition(scores, -count)[-count]
    candidates = np.flatnonzero(scores >= lowest)
    return candidates[np.argsort(-scores[candidates], kind="stable")][:count]


def average_precision(scores: np.ndarray, correct: np.ndarray, positives: int) -> float:
    """Sum of the precisions at the correct entries, divided by ``positives``.

    Args:
        scores: (M,); equal ones get the precision after the last of them.
        correct: (M,) bool.
        positives: correct entries in all, in the list or not.
    """
    if not positives or not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="stable")
    scores, correct = scores[order], correct[order]
    found = np.cumsum(correct)
    last = np.searchsorted(-scores, -scores, side="right") - 1  # of the equal ones
    precision = found[last] / (last + 1)
    return float(precision[correct].sum() / positives)
