"""A folder of which a third is broken: training, testing and verification continue."""

import os
import re
import threading
import time
from pathlib import Path

import pytest
from helpers.broken_videos import BREAK, write_folder
from helpers.tool_process import run_tool
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from flowzoo.datasets import CheckedVideoDataset
from flowzoo.datasets.preparation.verify import verify
from flowzoo.io.video import VideoError

COUNT = 90
TRAIN, TEST = "tools/train.py", "tools/test.py"
CONFIG = """
_base_ = 'flowzoo::tsn_r18_motionshapes.py'
folder = {folder!r}
pipeline = [
    dict(type='OpenVideo'), dict(type='SampleFrames', clip_len=1, num_clips=2),
    dict(type='DecodeFrames'), dict(type='FormatShape', input_format='NCHW'),
    dict(type='PackActionInputs')]
data = dict(
    _delete_=True, type='CheckedVideoDataset', data_prefix=dict(video=folder),
    ann_file=folder + '/all.txt', pipeline=pipeline)
sound = dict(
    _delete_=True, type='CheckedVideoDataset', data_prefix=dict(video=folder),
    ann_file=folder + '/few.txt', pipeline=pipeline, test_mode=True)
train_dataloader = dict(batch_size=20, num_workers=2, dataset=data)
val_dataloader = dict(num_workers=2, dataset=sound)
test_dataloader = dict(num_workers=2, dataset=sound | dict(ann_file={tested!r}))
train_cfg = dict(max_epochs=1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("videos") / "a folder"


@pytest.fixture(scope="module")
def names(folder):
    """Of sound videos and of broken ones; and their lists."""
    sound, broken = write_folder(folder, COUNT)
    there = sound + [name for name in broken if not name.startswith("absent")]
    lists = {"all": sound + broken, "there": there, "few": sound[:20]}
    for name, listed in lists.items():
        lines = [f"{video} {i % 8}\n" for i, video in enumerate(sorted(listed))]
        (folder / f"{name}.txt").write_text("".join(lines))
    assert len(broken) == COUNT // 3 and len({b.split()[0] for b in broken}) >= 8
    return sound, broken


def test_training_and_testing(folder, names, tmp_path):
    broken = names[1]
    for tested in ("few", "there", "all"):
        text = CONFIG.format(folder=str(folder), tested=str(folder / f"{tested}.txt"))
        (tmp_path / f"{tested}.py").write_text(text)
    work = tmp_path / "work"
    done = run_tool(TRAIN, tmp_path / "few.py", "--work-dir", work)
    assert done.returncode == 0, done.stdout[-3000:]
    log = done.stdout
    assert "acc/top1" in log  # of the sound ones
    assert f"{len(broken)} of {COUNT} training videos could not be read" in log
    for name in broken:  # each in a warning, and the first ones in the report
        assert name in log
    checkpoint = work / "epoch_1.pth"
    done = run_tool(TEST, tmp_path / "all.py", checkpoint, "--work-dir", work)
    assert done.returncode
    absent = [name for name in broken if name.startswith("absent")]
    assert f"FileNotFoundError: {len(absent)} videos of test" in done.stdout
    assert absent[0] in done.stdout
    done = run_tool(TEST, tmp_path / "there.py", checkpoint, "--work-dir", work)
    assert done.returncode
    named = re.search(r"VideoError: .*a folder/(.*?\.video)", done.stdout)
    assert named and named[1] in broken


def test_verification(folder, names, tmp_path):
    sound, broken = names
    verdicts = verify(folder, sound + broken, tmp_path / "journal", 2)
    assert {name for name in verdicts if verdicts[name].fault} == set(broken)
    assert all(verdicts[name].frames == 20 for name in sound)


def left_open(_=None):
    """Process, descriptors, threads of Python, and threads of the system."""
    opened, running = Path("/proc/self/fd"), Path("/proc/self/task")
    counts = len(list(opened.iterdir())), len(list(running.iterdir()))
    return os.getpid(), threading.active_count(), *counts


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="cannot be counted")
def test_nothing_is_left_open(folder, names, tmp_path):
    init_default_scope("mmaction")
    pipeline = [
        dict(type="OpenVideo"),
        dict(type="SampleFrames", clip_len=2),
        dict(type="DecodeFrames"),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs"),
    ]
    options = dict(ann_file=str(folder / "all.txt"), pipeline=pipeline)
    prefix = dict(video=str(folder))
    dataset = CheckedVideoDataset(**options, data_prefix=prefix)
    tested = CheckedVideoDataset(**options, data_prefix=prefix, test_mode=True)

    def read_all(journal):
        loader = DataLoader(
            dataset,
            batch_size=10,
            num_workers=2,
            persistent_workers=True,
            collate_fn=left_open,  # called by the workers
            multiprocessing_context="fork",
        )
        list(loader)
        later = set(loader)
        assert len(later) == 2  # the same in each worker after each of its batches
        for number in range(COUNT):
            try:
                tested[number]
            except VideoError as error:
                assert tested.get_data_info(number)["filename"] in str(error)
        verify(folder, names[0] + names[1], tmp_path / journal, 2)

    def left_open_in_the_end():
        feeders = [t for t in threading.enumerate() if t.name == "QueueFeederThread"]
        for thread in feeders:  # of loaders that are gone: they end soon
            thread.join(60)
        return left_open()

    read_all("first")
    before = left_open_in_the_end()
    read_all("second")
    # Fewer, where a thread of an earlier test has ended meanwhile; the system has a
    # thread for a moment longer than Python.
    deadline, more = time.monotonic() + 10, True
    while more:
        later = left_open_in_the_end()
        more = any(now > then for now, then in zip(later, before, strict=True))
        assert not more or time.monotonic() < deadline, (before, later)
    assert int(dataset.unreadable_mask.sum()) == COUNT // 3
    assert len(BREAK) == 10
