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
            image = np.full((size[1], size[0], 3), 20 * i, np.uint8)
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
    with pytest.raises(PreparationError, match=r"cannot read .*0_1_0\.avi"):
        prepare_ut_interaction(tmp_path, tmp_path / "out")
    assert not list((tmp_path / "out" / "videos").iterdir())
    (tmp_path / "0_1_0.avi").rename(tmp_path / "0_1_6.avi")
    with pytest.raises(PreparationError, match="no class 6"):
        list_clips(tmp_path)
    (tmp_path / "0_1_6.avi").rename(tmp_path / "0_1_x.avi")
    with pytest.raises(PreparationError, match="not named"):
        list_clips(tmp_path)
