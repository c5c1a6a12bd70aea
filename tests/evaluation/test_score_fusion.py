import pickle

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample

from flowzoo.evaluation.score_dumps import (
    check_same_videos,
    evaluate_classes,
    evaluate_scores,
    load_dump,
)
from flowzoo.score_fusion import (
    fuse_scores,
    normalize_scores,
    rank_weights,
    weight_grid,
)


def authors(spatial, temporal, weight):
    """The released late_fusion.m, line by line."""
    data = []
    for scores in (spatial, temporal):
        scores = scores.astype(np.float64)
        scores[scores < 0] = 0
        for row in scores:
            row /= row.sum()
        data.append(scores)
    return data[0] + weight * data[1]


def test_authors_fusion():
    rng = np.random.default_rng(0)
    streams = [rng.normal(1, 3, (20, 7)).astype(np.float32) for _ in range(2)]
    found = fuse_scores([torch.from_numpy(s) for s in streams], (1, 1.5), "clamp_l1")
    expected = authors(*streams, 1.5)
    np.testing.assert_allclose(found.numpy(), expected / 2.5, rtol=1e-5, atol=1e-7)


def test_a_video_without_a_positive_score_has_no_say():
    scores = torch.tensor([[-1.0, -2.0], [1.0, 3.0]])
    assert normalize_scores(scores, "clamp_l1").tolist() == [[0, 0], [0.25, 0.75]]


def test_probabilities_stay_probabilities():
    streams = [torch.randn(4, 5) for _ in range(3)]
    fused = fuse_scores(streams, (1, 0, 2.5), "softmax")
    torch.testing.assert_close(fused.sum(1), torch.ones(4))
    torch.testing.assert_close(
        fused, (streams[0].softmax(1) + 2.5 * streams[2].softmax(1)) / 3.5
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1,), "1 weights for 2"),
        ((1, -1), "none may be negative"),
        ((0, 0), "one must be"),
    ],
)
def test_wrong_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        fuse_scores([torch.rand(2, 3)] * 2, weights)


def test_streams_for_different_classes():
    with pytest.raises(ValueError, match="trained for the same classes"):
        fuse_scores([torch.rand(2, 3), torch.rand(2, 4)], (1, 1))
    with pytest.raises(ValueError, match="score_norm='l2'"):
        normalize_scores(torch.rand(2), "l2")


def test_metrics():
    scores = torch.tensor([[0.9, 0.1, 0], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    found = evaluate_scores(scores, np.array([0, 1, 1]))
    # As AccMetric has them: class 2, which is predicted but does not occur, is one of
    # three in the mean accuracy. Class 1 occurs in the two videos that it is best in.
    assert found == pytest.approx(dict(top1=1 / 3, top5=1, mean1=1 / 3, mAP=1))
    rows = evaluate_classes(scores, np.array([0, 1, 1]))
    assert [row["videos"] for row in rows] == [1, 2, 0]
    assert rows[0]["accuracy"] == 1 and rows[1]["accuracy"] == 0
    assert np.isnan(rows[2]["accuracy"])


def test_metrics_of_many_labels():
    scores = torch.tensor([[0.9, 0.8], [0.2, 0.9]])
    labels = np.array([[1, 1], [0, 0]])
    assert evaluate_scores(scores, labels) == dict(mAP=pytest.approx(0.75))
    assert evaluate_classes(scores, labels)[1] == dict(
        videos=1, average_precision=pytest.approx(0.5)
    )


def test_grid():
    assert list(weight_grid(2, 4)) == [
        (0, 1), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1, 0)
    ]  # fmt: skip
    three = list(weight_grid(3, 4))
    assert len(set(three)) == 15 and {sum(weights) for weights in three} == {1}


def test_of_equally_good_weights_the_middle():
    results = {w: float(0.25 <= w[0] <= 0.75) for w in weight_grid(2, 4)}
    ranked = rank_weights(results)
    assert ranked[0] == (0.5, 0.5)
    assert set(ranked[-2:]) == {(0, 1), (1, 0)}


# --- dumps ---


def write(path, scores, labels, names=None):
    samples = []
    for i, (score, label) in enumerate(zip(scores, labels, strict=True)):
        sample = ActionDataSample()
        if names is not None:
            sample.set_metainfo(dict(filename=names[i]))
        sample.set_pred_score(torch.tensor(score)).set_gt_label(torch.tensor(label))
        samples.append(sample.to_dict())
    path.write_bytes(pickle.dumps(samples))
    return path


SCORES = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]


def test_what_a_dump_holds(tmp_path):
    names = [f"/data/a/{i}.avi" for i in range(3)]
    dump = load_dump(write(tmp_path / "a.pkl", SCORES, [0, 1, 1], names))
    assert dump.scores.tolist() == torch.tensor(SCORES).tolist()
    assert dump.labels.tolist() == [0, 1, 1] and not dump.multi_label
    assert dump.names == ["a/0.avi", "a/1.avi", "a/2.avi"]
    assert load_dump(write(tmp_path / "b.pkl", SCORES, [0, 1, 1])).names is None
    many = load_dump(write(tmp_path / "c.pkl", SCORES, [[0, 1]] * 3))
    assert many.multi_label


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (SCORES, [0, 1, -1], "videos without a label"),
        (SCORES, [0, 1, 2], "do not go with 2 classes"),
        (SCORES, [[0, 1, 0]] * 3, "do not go with 2 classes"),
        ([[s] for s in SCORES], [0, 1, 1], "average_clips"),
        ([[0.5, float("nan")]], [0], "NaN"),
    ],
)
def test_dumps_that_cannot_be_used(tmp_path, scores, labels, message):
    with pytest.raises(ValueError, match=message):
        load_dump(write(tmp_path / "a.pkl", scores, labels))


def test_another_pickle_file(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match=r"a\.pkl is not a dump"):
        load_dump(tmp_path / "a.pkl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(scores=SCORES[:2], labels=[0, 1], names=["a", "b"]), "have 3 and 2 vid"),
        (dict(names=["b", "a", "c"]), "different orders: video 0 is a .* b in the"),
        (dict(names=["a", "b", "d"]), "different videos: video 2 is c .* d in the"),
        (dict(labels=[0, 0, 1]), "different labels, first for video 1: 1 and 0"),
        (dict(labels=[[0, 1]] * 3), "one label and many labels"),
        (dict(scores=[[*s, 0.1] for s in SCORES]), "have 2 and 3 classes"),
        (dict(names=None, labels=[1, 0, 1]), "different labels, first for video 0"),
    ],
)
def test_dumps_of_different_videos(tmp_path, change, message):
    first = dict(scores=SCORES, labels=[0, 1, 1], names=["a", "b", "c"])
    dumps = [
        load_dump(write(tmp_path / name, **options))
        for name, options in (("a.pkl", first), ("b.pkl", first | change))
    ]
    with pytest.raises(ValueError, match=message):
        check_same_videos(dumps)
    check_same_videos([dumps[0], dumps[0]])
