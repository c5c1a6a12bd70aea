"""Checkpoints are written whole or not at all."""

import os
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import LocalBackend
from mmengine.runner import Runner, runner

from flowzoo import compat
from flowzoo.compat import atomic_checkpoints


def test_checkpoint_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "epoch_1.pth"
    LocalBackend().put(b"old", path)

    def killed_half_way(self, obj, filepath):
        Path(filepath).write_bytes(obj[: len(obj) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, "put", killed_half_way)
        compat.write_checkpoints_atomically()
        with pytest.raises(KeyboardInterrupt):
            LocalBackend().put(b"newer", path)
    assert path.read_bytes() == b"old"
    LocalBackend().put(b"newer", path)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"newer"]


def test_other_files_are_written_in_place(tmp_path):
    target, link = tmp_path / "results", tmp_path / "out.pkl"
    link.symlink_to(target)
    LocalBackend().put(b"results", link)
    assert link.is_symlink() and target.read_bytes() == b"results"


@pytest.fixture
def work_dir(tmp_path):
    """Two whole checkpoints, then a broken one that last_checkpoint names."""
    for i, name in enumerate(["epoch_1", "epoch_2", "best_acc_epoch_2"]):
        torch.save({"epoch": i}, tmp_path / f"{name}.pth")
        os.utime(tmp_path / f"{name}.pth", (i, i))
    (tmp_path / "epoch_3.pth").write_bytes(b"half a zip file")
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_3.pth"))
    return tmp_path


def test_resume_takes_the_newest_whole_checkpoint(work_dir):
    find = runner.find_latest_checkpoint
    assert find.__wrapped__(str(work_dir)) == str(work_dir / "epoch_3.pth")
    assert find(str(work_dir)) == str(work_dir / "epoch_2.pth")
    (work_dir / "last_checkpoint").write_text("")
    assert find(str(work_dir)) == str(work_dir / "epoch_2.pth")
    (work_dir / "last_checkpoint").write_text(str(work_dir / "epoch_9.pth"))
    assert find(str(work_dir)) == str(work_dir / "epoch_2.pth")


def test_resume_leaves_good_answers_alone(work_dir):
    find = runner.find_latest_checkpoint
    for good in (
        str(work_dir / "epoch_1.pth"),
        "s3://bucket/epoch_1.pth",
        str(work_dir),
    ):
        (work_dir / "last_checkpoint").write_text(good)
        assert find(str(work_dir)) == good
    (work_dir / "last_checkpoint").unlink()
    assert find(str(work_dir)) is None


@pytest.mark.parametrize("key", ["cfg", "config"])  # of mmengine, and of the zoo
def test_splits_are_told_apart(key, tmp_path, monkeypatch):
    """The test clips of one are among those that another's network has learned from."""
    model = torch.nn.Linear(1, 1)
    warnings = []
    monkeypatch.setattr(
        atomic_checkpoints, "print_log", lambda text, *args: warnings.append(text)
    )

    def load(path, resume, **cfg):
        runner = Runner(
            model,
            str(tmp_path),
            cfg=Config(cfg),
            resume=resume,
            default_scope="mmaction",  # which stays when it is gone
        )
        runner.load_checkpoint(str(path))

    for name, cfg in (("plain", {}), ("two", dict(root="data/hmdb51", split=2))):
        state = dict(state_dict=model.state_dict(), meta={key: Config(cfg).pretty_text})
        torch.save(state, tmp_path / f"{name}.pth")
    two, plain = tmp_path / "two.pth", tmp_path / "plain.pth"
    with pytest.raises(
        ValueError, match=r"two\.pth cannot be resumed: it is of split 2, not 1"
    ):
        load(two, resume=True, root="data/hmdb51", split=1)
    for resume in (False, True):
        load(two, resume, root="elsewhere/hmdb51", split=2)
        load(plain, resume, root="data/hmdb51", split=1)
    load(two, resume=False, root="data/ucf101", split=1)  # transfer
    load(two, resume=False, root="data/kinetics400")
    assert not warnings
    load(two, resume=False, root="elsewhere/hmdb51", split=3)
    (text,) = warnings
    assert "two.pth was trained on split 2" in text and "split 3 tests on" in text
