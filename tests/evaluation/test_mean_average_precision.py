import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample

import flowzoo  # noqa: F401
from flowzoo.evaluation import UntrimmedMAP


def sample(scores, label, name=None):
    data = ActionDataSample()
    if name is not None:
        data.set_metainfo(dict(filename=name))
    data.set_pred_score(torch.tensor(scores))
    data.set_gt_label(torch.tensor(label))
    return data.to_dict()


def evaluate(metric, samples):
    metric.process(None, samples[:2])
    metric.process(None, samples[2:])
    return metric.compute_metrics(metric.results)


def average_precision(scores, positive):
    """The mean of the precisions at the true videos, from the best one down."""
    order = np.argsort(-np.asarray(scores))
    hits = np.asarray(positive, float)[order]
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    return (precision * hits).sum() / hits.sum()


def test_against_the_definition():
    rng = np.random.default_rng(0)
    scores = rng.random((30, 5)).astype(np.float32)
    labels = rng.random((30, 5)) < 0.3
    labels[:, 4] = False  # a class that does not occur counts for nothing
    found = evaluate(
        METRICS.build(dict(type="UntrimmedMAP")),
        [sample(s, lab.astype(int)) for s, lab in zip(scores, labels, strict=True)],
    )
    expected = [average_precision(scores[:, c], labels[:, c]) for c in range(4)]
    assert found == dict(mAP=pytest.approx(np.mean(expected)), videos=30, classes=4)


WINDOWS = [
    sample([0.9, 0.1, 0.0], [0, 0, 0], "a"),
    sample([0.5, 0.2, 0.3], [0, 1, 0], "b"),
    sample([0.1, 0.3, 0.6], [0, 0, 1], "a"),
]


@pytest.mark.parametrize(
    ("top_k", "a"),
    [(None, [0.5, 0.2, 0.3]), (1, [0.9, 0.3, 0.6]), (5, [0.5, 0.2, 0.3])],
)
def test_windows_of_a_video_are_averaged(top_k, a):
    metric = UntrimmedMAP(top_k)
    metric.process(None, WINDOWS)
    video = metric._combine([metric.results[0], metric.results[2]])
    assert video == pytest.approx(a)
    found = metric.compute_metrics(metric.results)
    assert (found["videos"], found["classes"]) == (2, 2)


def test_windows_of_one_sample_are_those_of_several():
    one = [
        sample([[0.9, 0.1, 0.0], [0.1, 0.3, 0.6]], [0, 0, 1]),
        sample([0.5, 0.2, 0.3], 1),  # a single class number
    ]
    for top_k in (None, 1):
        assert evaluate(UntrimmedMAP(top_k), one) == evaluate(
            UntrimmedMAP(top_k), WINDOWS
        )


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([sample([0.5, float("nan")], [0, 1], "x.mp4")], "score of x.mp4 is NaN"),
        ([sample([0.5, 0.5], [0, 1, 0])], "a label has 3 entries"),
        ([sample([0.5, 0.5], 2)], "scores of 2 classes"),
        ([sample([0.5, 0.5], -1)], "no video has a true class"),
    ],
)
def test_errors(samples, message):
    with pytest.raises(ValueError, match=message):
        evaluate(UntrimmedMAP(), samples)


def test_top_k_is_positive():
    with pytest.raises(ValueError, match="top_k=0"):
        UntrimmedMAP(0)
