"""tools/analysis/average_splits.py, as a user calls it."""

import json
import pickle
import runpy
import sys
from pathlib import Path

import pytest
import torch

TOOL = str(Path(__file__).parents[3] / "tools" / "analysis" / "average_splits.py")


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, "argv", [TOOL, *map(str, args)])
        status = 0
        try:
            runpy.run_path(TOOL, run_name="__main__")
        except SystemExit as end:
            status = end.code
        out, err = capsys.readouterr()
        return status, out + err

    return run


def write_split(path, labels, predictions, classes=3):
    """A dump of one-hot scores."""
    scores = torch.eye(classes)[predictions]
    samples = [
        dict(pred_score=score, gt_label=torch.tensor([label]))
        for score, label in zip(scores, labels, strict=True)
    ]
    path.write_bytes(pickle.dumps(samples))
    return path


def name_videos(path, predictions):
    """A dump of as many videos, the same ones in every file."""
    labels = [number % 2 for number in range(len(predictions))]
    samples = pickle.loads(write_split(path, labels, predictions).read_bytes())
    for i, sample in enumerate(samples):
        sample["filename"] = f"videos/{i}.mp4"
    path.write_bytes(pickle.dumps(samples))


def test_mean_of_splits(tmp_path, run):
    splits = [
        write_split(tmp_path / "1.pkl", [0, 1, 2, 0], [0, 1, 2, 0]),
        write_split(tmp_path / "2.pkl", [0, 1, 2, 0, 1], [0, 1, 2, 1, 2]),
        write_split(tmp_path / "3.pkl", [0, 1], [1, 1]),
    ]
    status, said = run(*splits, "--out", tmp_path / "out.json")
    assert status == 0, said
    report = json.loads((tmp_path / "out.json").read_text())
    assert [row["top1"] for row in report["splits"].values()] == [1, 0.6, 0.5]
    # each split counts the same, however many videos it has
    assert report["mean"]["top1"] == pytest.approx(0.7)
    assert report["standard deviation"]["top1"] == pytest.approx((0.14 / 2) ** 0.5)
    assert "top1  70.00 %" in said


def test_reports_of_fused_streams(tmp_path, run):
    paths = [tmp_path / "a" / "report.json", tmp_path / "b" / "report.json"]
    for path, top1 in zip(paths, (0.5, 0.7), strict=True):
        path.parent.mkdir()
        path.write_text(json.dumps(dict(fused=dict(top1=top1), streams={})))
    status, said = run(*paths)
    assert status == 0 and "top1  60.00 %" in said
    paths[1].write_text('{"fused": {"mAP": 0.1}}')
    assert "metrics of their own" in str(run(*paths)[0])
    for text in ("[]", '{"fused": [1]}', '{"fused": {"top1": "x"}}'):
        paths[1].write_text(text)
        assert "is not a report.json of fuse_scores.py" in str(run(*paths)[0])
    paths[1].write_text('{"fused": {"top1": NaN}}')
    assert "has top1 nan" in str(run(*paths)[0])
    # the same split by another name; as many hits by chance, but not in each stream
    for path, name in zip(paths, ("a.pkl", "b.pkl"), strict=True):
        report = dict(fused=dict(top1=0.5), streams={name: dict(top1=0.4)})
        path.write_text(json.dumps(report))
    assert "are the same split" in str(run(*paths)[0])
    paths[1].write_text(json.dumps(report | dict(streams=dict(a=dict(top1=0.3)))))
    assert run(*paths)[0] == 0
    # equal metrics of different videos, as of two small folds without an error
    for path, video in zip(paths, ("1.avi", "2.avi"), strict=True):
        path.write_text(json.dumps(report | dict(videos=[video])))
    assert run(*paths)[0] == 0
    paths[1].write_text(json.dumps(report))  # of an earlier version
    assert run(*paths)[0] == 0
    paths[1].write_text(json.dumps(dict(fused=dict(top1=0.9), videos=["1.avi"])))
    assert "are the same split" in str(run(*paths)[0])
    dump = write_split(tmp_path / "1.pkl", [0, 1], [0, 1])
    assert "not both" in str(run(paths[0], dump)[0])


def test_splits_are_different_ones_of_one_dataset(tmp_path, run):
    one = write_split(tmp_path / "1.pkl", [0, 1, 2], [0, 1, 1])
    again = write_split(tmp_path / "2.pkl", [0, 1, 2], [0, 1, 1])
    assert "are the same split" in str(run(one, again)[0])
    other = write_split(tmp_path / "3.pkl", [0, 1, 2], [0, 1, 1], classes=4)
    assert "3 and 4 classes" in str(run(one, other)[0])
    for path, scores in ((one, [0, 1]), (again, [1, 0])):  # another run, same videos
        name_videos(path, scores)
    assert "are the same split" in str(run(one, again)[0])
    name_videos(again, [1, 0, 1])  # the first has stopped early
    for paths in ((one, again), (again, one)):
        assert f"{one} has only videos that {again} has" in str(run(*paths)[0])


def test_one_split_is_no_average(tmp_path, run):
    one = write_split(tmp_path / "1.pkl", [0, 1], [0, 1])
    for paths in ((one,), (one, one)):
        status, said = run(*paths)
        assert status == 2 and "two splits or more, each once" in said
    assert "nothing.pkl" in str(run(one, tmp_path / "nothing.pkl")[0])
