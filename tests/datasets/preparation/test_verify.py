"""Decoding of all videos: what is broken, and continuing after an interruption."""

import json
import os
import subprocess
import sys
import time

import pytest

from flowzoo.datasets.preparation import PreparationError
from flowzoo.datasets.preparation import verify as module
from flowzoo.datasets.preparation.verify import Verdict, check_video, verify


def test_sound_videos(tmp_path, clip):
    for suffix in ("avi", "mp4", "mkv", "webm"):
        verdict = check_video(str(clip(tmp_path / f"a.{suffix}")))
        assert verdict.fault == "" and verdict.frames == 6
        assert verdict.seconds == pytest.approx(6 / 25, abs=0.002)


def test_broken_videos(tmp_path, clip):
    for suffix, cut, says in (
        ("mp4", 400, "truncated: 41 of 60 frames"),
        ("mkv", 1500, "truncated: "),
        ("avi", 1600, "truncated: "),
    ):
        path = clip(tmp_path / f"a.{suffix}", 60)
        path.write_bytes(path.read_bytes()[:-cut])
        assert check_video(str(path)).fault.startswith(says)
    for content in (b"", b"no video" * 99):
        path.write_bytes(content)
        assert check_video(str(path)).fault.startswith("undecodable: ")
    assert "No such file" in check_video(str(tmp_path / "absent.mp4")).fault


def test_a_video_that_vanished(tmp_path):
    verdict = verify(tmp_path, ["gone.mp4"], tmp_path / "journal", 1)["gone.mp4"]
    assert verdict.fault == "undecodable: No such file or directory"


@pytest.fixture
def videos(tmp_path, clip):
    names = [f"my clip {i}.mp4" for i in range(6)]
    for name in names:
        clip(tmp_path / name)
    return names


def opened(monkeypatch, action=lambda path: None):
    """Paths that are opened from now on; those of forked processes are not seen."""
    paths, av_open = [], module.av.open

    def spy(path, **options):
        action(path)
        paths.append(path)
        return av_open(path, **options)

    monkeypatch.setattr(module.av, "open", spy)
    return paths


def test_continues_after_an_interruption(tmp_path, videos, monkeypatch):
    """As on systems without fork: all in this process."""
    monkeypatch.setattr(sys, "platform", "darwin")
    journal = tmp_path / "verification.jsonl"

    def interrupt(path):
        if "clip 3" in path:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        opened(patch, interrupt)
        verify(tmp_path, videos, journal, 1)
    kept = len(journal.read_text().splitlines())
    assert kept == 3
    with journal.open("a") as file:  # killed while writing
        file.write('{"path": "my cl')
    paths = opened(monkeypatch)
    verdicts = verify(tmp_path, videos, journal, 1)
    assert len(paths) == 6 - kept
    assert all(verdicts[name] == Verdict("", 6, 0.24) for name in videos)
    assert len(journal.read_text().splitlines()) == 6

    (tmp_path / videos[2]).write_bytes(b"replaced by another file")
    paths = opened(monkeypatch)
    verdicts = verify(tmp_path, videos, journal, 1)
    assert paths == [str(tmp_path / videos[2])]
    assert verdicts[videos[2]].fault.startswith("undecodable")


@pytest.mark.skipif(sys.platform != "linux", reason="processes fork on Linux only")
def test_a_decoder_that_crashes(tmp_path, videos, monkeypatch):
    opened(monkeypatch, lambda path: "clip 3" in path and os._exit(11))
    verdicts = verify(tmp_path, videos, tmp_path / "journal", 2)
    assert sorted(verdicts) == sorted(videos)
    assert verdicts.pop(videos[3]) == Verdict("undecodable: the decoder crashes")
    assert all(verdict.frames == 6 for verdict in verdicts.values())


SLOW = """
import sys, time
from pathlib import Path
from flowzoo.datasets.preparation import verify as module
folder = Path(sys.argv[1])
def check(path):
    if "clip 3" in path:
        time.sleep(1000)
    return module.Verdict("", 6)
module.check_video = check
module.verify(folder, sys.argv[3:], Path(sys.argv[2]), 1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes fork on Linux only")
def test_continues_after_a_kill(tmp_path, videos):
    journal = tmp_path / "journal"
    command = [sys.executable, "-c", SLOW, tmp_path, journal, *videos]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not (journal.exists() and len(journal.read_bytes().splitlines()) == 3):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert len(verify(tmp_path, videos, journal, 1)) == 6
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert sorted(record["path"] for record in records) == videos


@pytest.mark.parametrize("content", [b'{"loss": 1}', b"1", b'"\xff"', bytes(9)])
def test_a_journal_of_something_else(tmp_path, videos, content):
    journal = tmp_path / "journal"
    journal.write_bytes(content + b"\n")
    with pytest.raises(PreparationError, match=r"journal, line 1, is not of a"):
        verify(tmp_path, videos, journal, 1)
