"""Earlier commits are checked out and removed, and a missing one is named."""

import subprocess

import checkouts
import pytest


@pytest.fixture
def clone(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "a"], check=True)
    monkeypatch.setattr(checkouts, "ROOT", tmp_path)
    return tmp_path


def test_a_worktree_goes_when_the_benchmark_is_interrupted(clone):
    with pytest.raises(KeyboardInterrupt), checkouts.checked_out("HEAD") as tree:
        assert (tree / ".git").exists()
        raise KeyboardInterrupt
    assert not tree.exists()
    assert not list(clone.glob(".git/worktrees/*"))


def test_a_commit_that_is_not_here_is_named(clone):
    with (
        pytest.raises(SystemExit, match=r"abc1234 cannot be .*git fetch --unshallow"),
        checkouts.checked_out("abc1234"),
    ):
        pass
