import av
import numpy as np
import pytest

from flowzoo.datasets.preparation import PreparationError
from flowzoo.datasets.preparation.ut_interaction import (
    list_clips,
    metadata_accuracies,
    prepare_ut_interaction,
)


def write_clip(folder, name, size=(128, 120), frames=10):
    """A video of 30 frames per second whose frame i has the brightness 20 * i."""
    with av.open(str(folder / f"{name}.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = size
        stream.bit_rate = 10**6
        for i in range(frames):
            image = np.full((size[1], size[0], 3), 20 * i % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Set 1 with three sequences, one clip of set 2; class 1 is wider."""
    folder = tmp_path_factory.mktemp("clips")
    number = 0
    for sequence in (1, 2, 10):
        for label in (0, 1):
            write_clip(folder, f"{number}_{sequence}_{label}", (128 + 128 * label, 120))
            number += 1
    write_clip(folder, "0_11_5")
    return folder


def test_splits_leave_a_sequence_of_the_set_out(folder, tmp_path):
    assert prepare_ut_interaction(folder, tmp_path) == [1, 2, 10, 11]
    lines = {
        path.stem: path.read_text().splitlines() for path in tmp_path.glob("*.txt")
    }
    assert lines["ut_interaction_val_split_2_videos"] == ["2_2_0.mp4 0", "3_2_1.mp4 1"]
    assert lines["ut_interaction_train_split_2_videos"] == [
        "0_1_0.mp4 0",
        "1_1_1.mp4 1",
        "4_10_0.mp4 0",
        "5_10_1.mp4 1",
    ]
    assert lines["ut_interaction_val_split_11_videos"] == ["0_11_5.mp4 5"]
    assert lines["ut_interaction_train_split_11_videos"] == []  # set 1 is not for set 2


def test_copies(folder, tmp_path):
    prepare_ut_interaction(folder, tmp_path)
    names = sorted(path.name for path in (tmp_path / "videos").iterdir())
    assert len(names) == 7
    with av.open(str(tmp_path / "videos" / "3_2_1.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (204, 96)  # of 256 x 120
        assert stream.average_rate == 10
        shown = [f.to_ndarray(format="rgb24").mean() for f in container.decode(stream)]
    assert shown == pytest.approx([0, 60, 120, 180], abs=6)  # every third of ten
    before = (tmp_path / "videos" / names[0]).stat().st_mtime_ns
    prepare_ut_interaction(folder, tmp_path)
    assert (tmp_path / "videos" / names[0]).stat().st_mtime_ns == before


def test_a_class_that_shows_in_the_size_is_found(folder):
    clips = list_clips(folder)[:6]
    assert metadata_accuracies(clips) == {1: 1, 2: 1, 10: 1}
    # the neighbor is of class 0, whatever the clip of the left-out sequence looks like
    same = [clip for clip in clips if clip.label == 0 or clip.sequence == 10]
    assert metadata_accuracies(same)[10] == 0.5


def test_errors(tmp_path):
    with pytest.raises(PreparationError, match="no clips named"):
        list_clips(tmp_path)
    (tmp_path / "0_1_0.avi").write_bytes(b"no video")
    with pytest.raises(PreparationError, match="one sequence of a set"):
        prepare_ut_interaction(tmp_path, tmp_path / "out")
    write_clip(tmp_path, "1_2_0")
    with pytest.raises(PreparationError, match=r"cannot read .*0_1_0\.avi"):
        prepare_ut_interaction(tmp_path, tmp_path / "out")
    assert not list((tmp_path / "out" / "videos").iterdir())
    (tmp_path / "0_1_0.avi").rename(tmp_path / "0_1_6.avi")
    with pytest.raises(PreparationError, match="no class 6"):
        list_clips(tmp_path)
    (tmp_path / "0_1_6.avi").rename(tmp_path / "0_1_x.avi")
    with pytest.raises(PreparationError, match="not named"):
        list_clips(tmp_path)


@pytest.mark.parametrize("sequence", [0, 21])
def test_sequences_that_no_set_has(tmp_path, sequence):
    (tmp_path / f"0_{sequence}_0.avi").touch()
    with pytest.raises(PreparationError, match=f"no sequence {sequence}"):
        list_clips(tmp_path)


def test_clips_are_found_below_subfolders_each_once(tmp_path):
    names = ("set1/2_1_0.avi", "set1/10_2_1.AVI", "set2/0_11_5.avi")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [
        clip.path.relative_to(tmp_path).as_posix() for clip in list_clips(tmp_path)
    ]
    assert found == list(names)
    (tmp_path / "2_1_0.avi").touch()
    with pytest.raises(PreparationError, match="have the same number"):
        list_clips(tmp_path)


def test_a_clip_that_was_cut_short_is_named(tmp_path):
    for sequence in (1, 2):
        write_clip(tmp_path, f"{sequence}_{sequence}_0", frames=90)
    path = tmp_path / "2_2_0.avi"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PreparationError, match=r"2_2_0\.avi: truncated"):
        prepare_ut_interaction(tmp_path, tmp_path / "out")
    path.write_bytes(whole)
    assert prepare_ut_interaction(tmp_path, tmp_path / "out") == [1, 2]
