"""Scores of test runs in files: reading, comparing and evaluating them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmaction.evaluation import (
    mean_average_precision,
    mean_class_accuracy,
    top_k_accuracy,
)
from mmengine.fileio import load
from torch import Tensor


@dataclass
class Dump:
    """What ``tools/test.py --dump`` writes, as arrays.

    Attributes:
        path: of the file.
        scores: (videos, classes), float32.
        labels: (videos,) class numbers, or (videos, classes) of 0 and 1.
        names: of the video files, or None where they were not packed.
    """

    path: Path
    scores: Tensor
    labels: np.ndarray
    names: list[str] | None

    @property
    def multi_label(self) -> bool:
        return self.labels.ndim == 2


def load_dump(path: str | Path) -> Dump:
    """Read a dump. It is a pickle file: reading one runs code that it contains.

    Raises:
        ValueError: the file is no such dump, or lacks labels.
    """
    samples = load(str(path), file_format="pkl")
    try:
        scores = torch.stack([s["pred_score"].float().cpu() for s in samples])
        labels = torch.stack([s["gt_label"].cpu() for s in samples])
    except (AttributeError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"{path} is not a dump of tools/test.py --dump, one data sample with "
            f"pred_score and gt_label for each video ({error})"
        ) from error
    if scores.ndim != 2:
        raise ValueError(
            f"{path} has scores of shape {tuple(scores.shape[1:])} for each video, but "
            "one for each class is needed: set cls_head.average_clips to 'score' or "
            "'prob'"
        )
    if not scores.isfinite().all():
        raise ValueError(f"{path} has scores that are NaN or infinite")
    if labels.shape[1] == 1:
        labels = labels[:, 0]
    classes = scores.shape[1]
    if (labels < 0).any():
        raise ValueError(f"{path} has videos without a label; nothing can be evaluated")
    if (labels.ndim == 1 and labels.max() >= classes) or labels.shape[1:] not in (
        (),
        (classes,),
    ):
        raise ValueError(f"{path} has labels that do not go with {classes} classes")
    names = [s.get("filename") for s in samples]
    if None in names:
        names = None
    else:  # without the folder of the dataset, which may differ
        names = ["/".join(Path(name).parts[-2:]) for name in names]
    return Dump(Path(path), scores, labels.numpy(), names)


def check_same_videos(dumps: Sequence[Dump]) -> None:
    """Make sure that row i is the same video in all dumps.

    Raises:
        ValueError: different numbers of videos or of classes, different file names or
            labels; the message says where.
    """
    first = dumps[0]
    for other in dumps[1:]:
        pair = f"{first.path} and {other.path}"
        if len(first.scores) != len(other.scores):
            raise ValueError(
                f"{pair} have {len(first.scores)} and {len(other.scores)} videos; were "
                "they made from the same annotation file?"
            )
        if first.scores.shape[1] != other.scores.shape[1]:
            raise ValueError(
                f"{pair} have {first.scores.shape[1]} and {other.scores.shape[1]} "
                "classes"
            )
        if first.names and other.names and first.names != other.names:
            row = next(
                i
                for i, names in enumerate(zip(first.names, other.names, strict=True))
                if names[0] != names[1]
            )
            order = (
                "are in different orders"
                if sorted(first.names) == sorted(other.names)
                else "are of different videos"
            )
            raise ValueError(
                f"{pair} {order}: video {row} is {first.names[row]} in the first and "
                f"{other.names[row]} in the second. Test both with the same annotation "
                "file, without shuffling"
            )
        if first.labels.shape != other.labels.shape:
            raise ValueError(f"{pair} have one label and many labels of a video")
        different = (first.labels != other.labels).reshape(len(first.labels), -1).any(1)
        if different.any():
            row = int(different.argmax())
            raise ValueError(
                f"{pair} have different labels, first for video {row}: "
                f"{first.labels[row]} and {other.labels[row]}. Test both with the same "
                "annotation file, without shuffling"
            )


def evaluate_scores(scores: Tensor, labels: np.ndarray) -> dict[str, float]:
    """Top-1, top-5 and mean class accuracy, and mAP; mAP alone for many labels."""
    found = scores.numpy()
    many_hot = _many_hot(labels, found.shape[1])
    occurring = many_hot.any(0)
    # mean_average_precision leaves out classes that do not occur, with warnings
    average = mean_average_precision(
        list(found[:, occurring]), list(many_hot[:, occurring])
    )
    result = {}
    if labels.ndim == 1:
        top1, top5 = top_k_accuracy(found, labels, (1, min(5, found.shape[1])))
        mean1 = mean_class_accuracy(found, labels)
        result = dict(top1=float(top1), top5=float(top5), mean1=float(mean1))
    return result | dict(mAP=float(average))


def evaluate_classes(scores: Tensor, labels: np.ndarray) -> list[dict[str, float]]:
    """For each class: videos, accuracy (single labels only) and average precision."""
    found = scores.numpy()
    many_hot = _many_hot(labels, found.shape[1])
    rows = []
    for c in range(found.shape[1]):
        videos = int(many_hot[:, c].sum())
        row = dict(videos=videos)
        if labels.ndim == 1:
            right = (found.argmax(1) == c) & many_hot[:, c]
            row["accuracy"] = float(right.sum() / videos) if videos else math.nan
        row["average_precision"] = (
            float(mean_average_precision(found[:, c, None], many_hot[:, c, None]))
            if videos
            else math.nan
        )
        rows.append(row)
    return rows


def _many_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    if labels.ndim == 2:
        return labels > 0
    return labels[:, None] == np.arange(num_classes)
