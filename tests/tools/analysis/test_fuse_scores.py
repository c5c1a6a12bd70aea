"""tools/analysis/fuse_scores.py, as a user calls it."""

import csv
import json
import pickle
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmaction.structures import ActionDataSample

TOOL = str(Path(__file__).parents[3] / "tools" / "analysis" / "fuse_scores.py")


@pytest.fixture
def fuse(monkeypatch, capsys):
    def run(*args, fails=False):
        monkeypatch.setattr(sys, "argv", ["fuse_scores.py", *map(str, args)])
        if not fails:
            runpy.run_path(TOOL, run_name="__main__")
            return capsys.readouterr().out
        with pytest.raises(SystemExit) as error:
            runpy.run_path(TOOL, run_name="__main__")
        return f"{error.value} {capsys.readouterr().err}"

    return run


def write(path, scores, labels):
    samples = []
    for i, (score, label) in enumerate(zip(scores, labels, strict=True)):
        sample = ActionDataSample(metainfo=dict(filename=f"v/{i}.avi"))
        sample.set_pred_score(score).set_gt_label(torch.tensor(label))
        samples.append(sample.to_dict())
    path.write_bytes(pickle.dumps(samples))
    return path


@pytest.fixture
def streams(tmp_path):
    """The first stream knows classes 0 and 1, the second 2 and 3, less surely."""
    labels = [i % 4 for i in range(40)]
    truth = torch.eye(4)[labels]
    paths = []
    for known, sure in (((0, 1), 0.9), ((2, 3), 0.6)):
        scores = torch.full((40, 4), 0.25)
        rows = torch.tensor([label in known for label in labels])
        scores[rows] = (1 - sure) / 3 + truth[rows] * (sure - (1 - sure) / 3)
        scores[~rows, known[0]] += 0.1  # wrong, and unsure
        scores[~rows, known[1]] -= 0.1
        paths.append(write(tmp_path / f"{known[0]}.pkl", scores, labels))
    return paths


def test_report(fuse, streams, tmp_path):
    out = tmp_path / "out"
    names = tmp_path / "names.txt"
    names.write_text("1 run\n2 ride a horse\n3 sit\n4 fall\n")
    text = fuse(*streams, "--out", out, "--labels", names)
    assert "fused 1 : 1.5" in text
    report = json.loads((out / "report.json").read_text())
    assert [s["top1"] for s in report["streams"].values()] == [0.5, 0.5]
    assert report["fused"]["top1"] == 1 and report["weights"] == [1, 1.5]
    assert report["videos"] == [f"v/{i}.avi" for i in range(40)]
    rows = list(csv.DictReader((out / "classes.csv").open()))
    assert [row["class"] for row in rows] == ["run", "ride a horse", "sit", "fall"]
    assert {row["accuracy"] for row in rows} == {"1.0"}
    assert "| ride a horse | 10 | 1.000 |" in (out / "classes.md").read_text()
    assert (out / "confusion.png").read_bytes()[:4] == b"\x89PNG"


def test_weights_are_chosen_on_other_videos(fuse, streams, tmp_path):
    """Where the first stream is always wrong, the other one should decide alone."""
    labels = [i % 4 for i in range(8)]
    wrong = write(tmp_path / "w.pkl", torch.eye(4)[[3 - x for x in labels]], labels)
    right = write(tmp_path / "r.pkl", torch.eye(4)[labels], labels)
    out = tmp_path / "out"
    fuse(*streams, "--sweep", wrong, right, "--out", out)
    report = json.loads((out / "report.json").read_text())
    # every weight above a half is right; of these, the middle
    assert report["weights"] == [0.2, 0.8]
    top1 = [row["top1"] for row in report["sweep"]["rows"]]
    assert top1 == sorted(top1, reverse=True) and top1[0] == 1 and top1[-1] == 0


def test_many_labels(fuse, tmp_path):
    labels = [[1, 1, 0], [0, 1, 1]]
    paths = [write(tmp_path / f"{i}.pkl", torch.rand(2, 3), labels) for i in range(3)]
    text = fuse(*paths, "--out", tmp_path / "out")
    assert "fused 1 : 1 : 1" in text and "mAP" in text and "top1" not in text
    assert not (tmp_path / "out" / "confusion.png").exists()


def test_errors(fuse, streams, tmp_path):
    other = write(tmp_path / "other.pkl", torch.rand(3, 4), [0, 1, 2])
    assert "40 and 3 videos" in fuse(streams[0], other, fails=True)
    assert "3 weights for 2" in fuse(*streams, "--weights", 1, 2, 3, fails=True)
    assert "one for each stream" in fuse(*streams, "--sweep", other, fails=True)
    assert "No such file" in fuse(tmp_path / "absent.pkl", other, fails=True)


def test_former_option(fuse, streams):
    expected = fuse(*streams, "--score-norm", "clamp_l1")
    for former in (["--handling", "clamp_l1"], ["--handling=clamp_l1"]):
        warning, _, report = fuse(*streams, *former).partition("\n")
        assert "--handling is now --score-norm" in warning
        assert report == expected
