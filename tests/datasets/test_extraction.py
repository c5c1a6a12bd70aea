"""What the tools that extract features learn of a dataset."""

import pytest
from helpers.miniatures import write_clip

from flowzoo.datasets.extraction import Readable, describe_dataset
from flowzoo.datasets.video import CheckedVideoDataset


@pytest.fixture
def make(tmp_path):
    for name in ("a", "sub/b"):
        write_clip(tmp_path / f"{name}.mp4")

    def dataset(lines, **kwargs):
        (tmp_path / "list.txt").write_text("\n".join(lines))
        return CheckedVideoDataset(
            str(tmp_path / "list.txt"),
            pipeline=[dict(type="mmaction.OpenVideo")],
            data_prefix=dict(video=str(tmp_path)),
            test_mode=True,
            **kwargs,
        )

    return dataset


def test_one_label(make):
    found = describe_dataset(make(["a.mp4 3", "sub/b.mp4 0"]))
    assert found == (["a", "sub/b"], [[3], [0]])


def test_several_labels(make):
    """mmaction2 gives them as zeros and ones."""
    lines = ["a.mp4 3 1", "sub/b.mp4 0"]
    found = describe_dataset(make(lines, multi_class=True, num_classes=5))
    assert found == (["a", "sub/b"], [[1, 3], [0]])


def test_unreadable_videos(make):
    dataset = make(["a.mp4 3", "missing.mp4 1"])
    (number, item, why), (broken, nothing, reason) = Readable(dataset, [0, 1])
    assert (number, why, broken, nothing) == (0, "", 1, None)
    assert item["total_frames"] == 6 and "missing.mp4" in reason
