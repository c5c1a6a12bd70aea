"""The metrics of YouTube-8M, by hand and against a slow implementation."""

import numpy as np
import pytest
import torch

from flowzoo.evaluation import YouTube8MMetric


def evaluate(scores, labels, **kwargs):
    metric = YouTube8MMetric(**kwargs)
    for start in range(0, len(scores), 3):  # in batches
        samples = [
            dict(pred_score=torch.tensor(s), gt_label=torch.tensor(y))
            for s, y in zip(
                scores[start : start + 3], labels[start : start + 3], strict=True
            )
        ]
        metric.process(None, samples)
    values = metric.evaluate(len(scores))
    return {k.removeprefix("youtube8m/"): v for k, v in values.items()}


def test_by_hand():
    scores = [[0.9, 0.5, 0.1], [0.2, 0.8, 0.7]]
    labels = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    values = evaluate(scores, labels)
    assert (
        values["hit@1"] == 0.5
    )  # class 0 of the first; class 1 of the second is wrong
    assert values["perr"] == (1 / 2 + 0) / 2
    # 0.9 yes, 0.8 no, 0.7 yes, 0.5 no, 0.2 no, 0.1 yes
    assert values["gap@20"] == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)
    # class 0: yes, no; class 1: no label; class 2: 0.7 yes, 0.1 yes
    assert values["map@20"] == pytest.approx((1 + 0 + 1) / 3)


def test_only_the_best_k_are_listed_but_all_labels_count():
    values = evaluate([[0.9, 0.5, 0.1]], [[0.0, 1.0, 1.0]], top_k=2)
    assert values["gap@2"] == pytest.approx((1 / 2) / 2)
    assert values["map@2"] == pytest.approx((0 + 1 + 0) / 3)
    assert values["perr"] == 1 / 2


def test_equal_scores_share_the_lower_precision():
    values = evaluate([[0.5, 0.5]], [[1.0, 0.0]])
    assert values["gap@20"] == 0.5
    assert values["hit@1"] == 1  # the lower class comes first


def slow_average_precision(entries, positives):
    """entries: (score, correct); the precision at each correct one, counted anew."""
    total = 0.0
    for score, correct in entries:
        if correct:
            above = [c for s, c in entries if s >= score]
            total += sum(above) / len(above)
    return total / positives if positives else 0.0


def slow_metrics(scores, labels, k):
    """Every score of every video, sorted and counted with Python's own lists."""
    entries, hits, perr = [], [], []
    for video, (row, truth) in enumerate(zip(scores, labels, strict=True)):
        order = sorted(range(len(row)), key=lambda c: (-row[c], c))
        hits.append(truth[order[0]])
        n = int(sum(truth))
        perr.append(sum(truth[c] for c in order[:n] if row[c] > 0) / max(n, 1))
        entries += [(row[c], truth[c], c, video) for c in order[:k]]
    per_class = []
    for c in range(len(scores[0])):
        own = [(s, y) for s, y, which, _ in entries if which == c]
        per_class.append(slow_average_precision(own, sum(y[c] for y in labels)))
    total = sum(sum(y) for y in labels)
    return {
        "hit@1": np.mean(hits),
        "perr": np.mean(perr),
        f"gap@{k}": slow_average_precision([e[:2] for e in entries], total),
        f"map@{k}": np.mean(per_class),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("levels", [5, 1000])
def test_against_a_slow_implementation(seed, levels):
    """Many equal scores with 5 levels, some of them 0; videos without labels."""
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, levels, (40, 30)) / np.float32(levels)).astype(np.float32)
    labels = (rng.random((40, 30)) < 0.08).astype(np.float32)
    labels[7] = 0
    values = evaluate(scores.tolist(), labels.tolist(), top_k=20)
    expected = slow_metrics(scores.tolist(), labels.tolist(), 20)
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=1e-12), name


def test_streams_have_their_own_values():
    metric = YouTube8MMetric()
    good, bad = torch.tensor([0.9, 0.1]), torch.tensor([0.1, 0.9])
    score = dict(appearance=bad, two_stream=good)
    metric.process(None, [dict(pred_score=score, gt_label=torch.tensor([1.0, 0.0]))])
    values = metric.evaluate(1)
    assert values["youtube8m/appearance_hit@1"] == 0
    assert values["youtube8m/two_stream_hit@1"] == 1


def test_memory_does_not_grow_with_the_classes():
    metric = YouTube8MMetric()
    target = torch.zeros(4000)
    target[:3] = 1
    metric.process(None, [dict(pred_score=torch.rand(4000), gt_label=target)])
    assert len(metric.results[0][""]) == 4 * (2 + 2 * 20 + 3)


def test_errors():
    metric = YouTube8MMetric()
    one_label = dict(pred_score=torch.rand(5), gt_label=torch.tensor([3]))
    with pytest.raises(ValueError, match="has PackFeatures its num_classes"):
        metric.process(None, [one_label])
    nan = dict(pred_score=torch.tensor([torch.nan, 1]), gt_label=torch.zeros(2))
    with pytest.raises(ValueError, match="not finite"):
        metric.process(None, [nan])
    with pytest.raises(ValueError, match="top_k"):
        YouTube8MMetric(top_k=0)
