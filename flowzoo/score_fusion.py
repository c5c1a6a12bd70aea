"""Late fusion: the weighted sum of the scores of several streams."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from .deprecated import former_arguments

# How the scores of a stream become comparable with those of the others
SCORE_NORMS = ("none", "softmax", "clamp_l1")


@former_arguments(handling="score_norm")
def normalize_scores(scores: Tensor, score_norm: str) -> Tensor:
    """Make scores (..., classes) comparable with those of another stream.

    Args:
        scores: of any range.
        score_norm: 'none'; 'softmax', for scores that are no probabilities yet;
            'clamp_l1', the released code of Hidden Two-Stream: negative scores become
            0, and each video's scores are divided by their sum (a video without a
            positive score keeps zeros).
    """
    if score_norm not in SCORE_NORMS:
        raise ValueError(
            f"score_norm={score_norm!r}, but it must be one of {SCORE_NORMS}"
        )
    if score_norm == "softmax":
        return scores.softmax(-1)
    if score_norm == "clamp_l1":
        scores = scores.clamp(min=0)
        total = scores.sum(-1, keepdim=True)
        return scores / torch.where(total > 0, total, 1)
    return scores


@former_arguments(handling="score_norm")
def fuse_scores(
    scores: Sequence[Tensor], weights: Sequence[float], score_norm: str = "none"
) -> Tensor:
    """Average the scores of several streams.

    Args:
        scores: (..., classes) of each stream.
        weights: one for each, not negative; only their ratios matter.
        score_norm: of :func:`normalize_scores`, for every stream.

    Returns:
        (..., classes), probabilities if the streams' scores are.

    Raises:
        ValueError: not one weight for each stream, negative or all zero; streams of
            different shapes.
    """
    if len(weights) != len(scores):
        raise ValueError(f"{len(weights)} weights for {len(scores)} streams")
    if min(weights) < 0 or not sum(weights) > 0:
        raise ValueError(
            f"weights={tuple(weights)}, but none may be negative, and one must be "
            "positive"
        )
    shapes = {tuple(s.shape) for s in scores}
    if len(shapes) > 1:
        raise ValueError(
            f"the streams' scores have different shapes: {sorted(shapes)}; were they "
            "trained for the same classes?"
        )
    pairs = zip(weights, scores, strict=True)
    total = sum(w * normalize_scores(s, score_norm) for w, s in pairs)
    return total / sum(weights)


def weight_grid(num_streams: int, steps: int = 20) -> Iterator[tuple[float, ...]]:
    """Weights to try: all multiples of 1 / steps whose sum is 1."""
    places = steps + num_streams - 1
    for bars in itertools.combinations(range(places), num_streams - 1):
        edges = itertools.pairwise((-1, *bars, places))
        yield tuple((b - a - 1) / steps for a, b in edges)


def rank_weights(
    results: dict[tuple[float, ...], float],
) -> list[tuple[float, ...]]:
    """Weights by their result, the best first; of equally good ones the middle."""
    best = max(results.values())
    middle = np.mean([w for w, result in results.items() if result == best], axis=0)
    return sorted(results, key=lambda w: (-results[w], np.abs(w - middle).sum()))
