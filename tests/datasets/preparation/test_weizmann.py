import pytest

from flowzoo.datasets.preparation import PreparationError, prepare
from flowzoo.datasets.preparation.weizmann import ACTORS, CLASSES


def test_one_actor_is_left_out(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "weizmann"
    for actor in ACTORS:
        for name in CLASSES:
            clip(root / name / f"{actor}_{name}.avi")
    report = prepare("weizmann", root, out)
    assert report["missing"] == []
    for split, actor in enumerate(ACTORS, start=1):
        train = lines(out / f"weizmann_train_split_{split}_videos.txt")
        val = lines(out / f"weizmann_val_split_{split}_videos.txt")
        assert len(train) == 80
        assert not [line for line in train if actor in line]
        assert val == [f"{c}/{actor}_{c}.avi {i}" for i, c in enumerate(CLASSES)]


def test_clips_taken_twice_and_missing(tmp_path, clip, lines):
    """The first release has lena_run1.avi and lena_run2.avi."""
    root, out = tmp_path / "root", tmp_path / "weizmann"
    for name in ("run1", "run2", "wave1", "wave2", "jump"):
        clip(root / f"lena_{name}.avi")
    report = prepare("weizmann", root, out)
    split = ACTORS.index("lena") + 1
    assert lines(out / f"weizmann_val_split_{split}_videos.txt") == [
        "lena_jump.avi 2",
        "lena_run1.avi 4",
        "lena_run2.avi 4",
        "lena_wave1.avi 8",
        "lena_wave2.avi 9",
    ]
    assert len(report["missing"]) == 90 - 4
    assert "lena_bend" in report["missing"]


def test_copies_of_a_clip_count_once(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "weizmann"
    for name in ("backup/eli_run.avi", "run/eli_run.avi", "run/Eli_Run.mp4"):
        clip(root / name)
    report = prepare("weizmann", root, out)
    assert report["videos"]["found"] == 1
    split = ACTORS.index("eli") + 1
    assert lines(out / f"weizmann_val_split_{split}_videos.txt") == [
        "backup/eli_run.avi 4"
    ]


def test_no_clip_of_the_dataset(tmp_path, clip):
    clip(tmp_path / "root" / "holiday.avi")
    with pytest.raises(PreparationError, match=r"none of the videos of weizmann"):
        prepare("weizmann", tmp_path / "root", tmp_path / "out")


def test_a_wrong_root_leaves_nothing_behind(tmp_path, clip):
    right, wrong, out = tmp_path / "right", tmp_path / "wrong", tmp_path / "weizmann"
    clip(wrong / "another.avi")
    clip(right / "eli_run.avi")
    with pytest.raises(PreparationError, match="none of the videos of weizmann"):
        prepare("weizmann", wrong, out)
    assert prepare("weizmann", right, out)["videos"]["found"] == 1
    with pytest.raises(PreparationError, match="is another folder"):
        prepare("weizmann", wrong, out, force=True)
    assert (out / "videos" / "eli_run.avi").exists()
