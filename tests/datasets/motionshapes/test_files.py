import errno
import json
import multiprocessing
import os
import signal
import time
from collections import Counter

import av
import numpy as np
import pytest

from flowzoo.datasets import motionshapes
from flowzoo.datasets.motionshapes import __main__ as command
from flowzoo.datasets.motionshapes import files as motionshapes_files
from flowzoo.datasets.motionshapes.files import MotionShapesSpec, prepare

fork = multiprocessing.get_context("fork")


@pytest.fixture
def no_locks(monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


def read(path):
    with av.open(path) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode()])


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_whole(folder, spec):
    found = files(folder)
    assert len(found) == 5 + spec.num_train + spec.num_val + spec.num_test
    assert json.loads(found["manifest.json"])["num_train"] == spec.num_train
    leftovers = [p.name for p in folder.parent.iterdir() if "partial" in p.name]
    assert leftovers == []


def test_layout_and_balance(tmp_path, tiny):
    folder = prepare(tiny, tmp_path, workers=1)
    assert_whole(folder, tiny)
    assert (folder / "classes.txt").read_text().split() == list(motionshapes.CLASSES)
    for split in motionshapes.SPLITS:
        lines = (folder / f"{split}.txt").read_text().splitlines()
        assert len(lines) == tiny.num_clips(split)
        names, labels = zip(*(line.split() for line in lines), strict=True)
        assert len(set(Counter(map(int, labels)).values())) == 1
        for name, label in zip(names, labels, strict=True):
            assert motionshapes.CLASSES[int(label)] in name
            assert (folder / name).is_file()


def test_videos_show_the_rendered_frames(tmp_path, tiny):
    folder = prepare(tiny, tmp_path)
    for split, index in (("train", 3), ("val", 0), ("test", 6)):
        clip = tiny.render(split, index)
        frames = read(folder / tiny.video_name(split, index))
        assert frames.shape == clip.frames.shape == (10, 32, 32, 3)
        error = frames.astype(float) - clip.frames
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 28


def test_encoding_does_not_show_the_direction_of_time(tmp_path, tiny):
    frames = tiny.render("train", 0).frames
    motionshapes_files.write_video(tmp_path / "forwards.mp4", frames)
    motionshapes_files.write_video(tmp_path / "backwards.mp4", frames[::-1])
    forwards, backwards = (read(tmp_path / f"{n}wards.mp4") for n in ("for", "back"))
    np.testing.assert_array_equal(forwards[::-1], backwards)


def test_files_do_not_depend_on_the_number_of_processes(tmp_path, tiny):
    one, three = (prepare(tiny, tmp_path / str(n), workers=n) for n in (1, 3))
    assert files(one) == files(three)


def test_splits_seeds_and_clips_differ(tiny):
    other = MotionShapesSpec(num_train=8, num_frames=10, size=32, seed=1)
    clips = [
        tiny.render("train", 0),
        tiny.render("train", 8),
        tiny.render("val", 0),
        tiny.render("test", 0),
        other.render("train", 0),
    ]
    assert len({clip.frames.tobytes() for clip in clips}) == len(clips)
    assert tiny.folder_name != other.folder_name


def test_a_set_is_written_once(tmp_path, tiny):
    folder = prepare(tiny, tmp_path)
    before = (folder / "manifest.json").stat().st_mtime_ns
    assert prepare(tiny, tmp_path) == folder
    assert (folder / "manifest.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_leaves_nothing_that_is_taken_for_whole(tmp_path, tiny, workers):
    large = MotionShapesSpec(num_train=2000, num_frames=10, size=32)
    process = fork.Process(target=prepare, args=(large, tmp_path, workers))
    process.start()
    deadline = time.monotonic() + 30
    while len(list(tmp_path.rglob("*.mp4"))) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (tmp_path / large.folder_name).exists()
    assert list(tmp_path.glob(".*partial*"))

    # The same folder name, but a set that does not take long to write.
    name = large.folder_name
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MotionShapesSpec, "folder_name", name)
        folder = prepare(tiny, tmp_path)
    assert_whole(folder, tiny)


def run_two_at_once(spec, root):
    processes = [fork.Process(target=prepare, args=(spec, root, 1)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]


def test_two_processes_at_once(tmp_path, tiny):
    run_two_at_once(tiny, tmp_path)
    assert_whole(tmp_path / tiny.folder_name, tiny)


def test_two_processes_at_once_where_there_are_no_locks(tmp_path, tiny, no_locks):
    run_two_at_once(tiny, tmp_path)
    assert_whole(tmp_path / tiny.folder_name, tiny)


def test_a_daemon_process_generates_by_itself(tmp_path, tiny):
    process = fork.Process(target=prepare, args=(tiny, tmp_path, 2), daemon=True)
    process.start()
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_full_disk(tmp_path, tiny, monkeypatch, workers):
    def write_video(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(motionshapes_files, "write_video", write_video)
    with pytest.raises(OSError, match=r"No space left.*FLOWZOO_DATA.*MB free") as error:
        prepare(tiny, tmp_path, workers)
    assert error.value.errno == errno.ENOSPC
    assert not list(tmp_path.glob(".*partial*"))


def test_unwritable_folder(tmp_path, tiny):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot be generated in .*file.*FLOWZOO_DATA"):
        prepare(tiny, tmp_path / "file" / "data")
    with pytest.raises(OSError, match="No such file"):
        motionshapes_files.write_video(
            tmp_path / "absent" / "0.mp4", np.zeros((2, 32, 32, 3), np.uint8)
        )


def test_a_killed_worker_is_noticed(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(motionshapes_files, "write_video", lambda *_: os._exit(9))
    with pytest.raises(RuntimeError, match="killed"):
        prepare(tiny, tmp_path, workers=2)
    assert not (tmp_path / tiny.folder_name).exists()


@pytest.mark.parametrize("manifest", [None, "{", '{"version": 0}'])
def test_a_folder_that_is_not_a_whole_set_is_left_alone(tmp_path, tiny, manifest):
    folder = tmp_path / tiny.folder_name
    folder.mkdir()
    if manifest is not None:
        (folder / "manifest.json").write_text(manifest)
    before = files(folder)
    with pytest.raises(RuntimeError, match="remove it"):
        prepare(tiny, tmp_path)
    assert files(folder) == before


@pytest.mark.parametrize(
    "bad", [dict(num_train=0), dict(size=33), dict(num_frames=1), dict(num_val=2.5)]
)
def test_bad_specifications(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        MotionShapesSpec(**bad)


def test_bad_splits_and_indices(tiny):
    with pytest.raises(ValueError, match="'train', 'val', 'test'"):
        tiny.num_clips("training")
    with pytest.raises(IndexError, match="16 clips"):
        tiny.render("train", 16)


def test_command_line(tmp_path, capsys):
    arguments = "--num-train 8 --num-val 8 --num-test 8 --num-frames 4 --size 32"
    command.main([*arguments.split(), "--root", str(tmp_path)])
    folder = capsys.readouterr().out.strip()
    assert folder == str(next(tmp_path.glob("motionshapes-*")))
    with pytest.raises(SystemExit, match="size must be even"):
        command.main(["--size", "33", "--root", str(tmp_path)])
