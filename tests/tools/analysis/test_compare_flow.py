"""tools/analysis/compare_flow.py, as a user calls it."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.flow_pairs import scene

from flowzoo.io.write_video import write_video

ROOT = Path(__file__).parents[3]


@pytest.fixture
def compare(tool):
    """Run the tool: its table, its exit status, what it said."""

    def run(*arguments):
        status, said = tool("compare_flow.py", *arguments)
        rows = re.findall(r"^\| (\S+) \| ([\d.]+) \| [\d.]+ \|$", said, re.MULTILINE)
        return {name: float(error) for name, error in rows}, status, said

    return run


def test_methods_are_sorted_by_what_their_flow_explains(tmp_path, compare):
    write_video(tmp_path / "move.mp4", np.stack(scene(3, -2)))
    network = "tinymotionnet_motionshapes_2frames"
    table, status, said = compare(
        "zero", network, "tvl1", "dis", "--videos", tmp_path / "move.mp4"
    )
    assert status == 0 and "1 pairs of 1 videos" in said
    assert list(table)[-1] == "zero" and set(table) == {"zero", network, "tvl1", "dis"}
    assert list(table.values()) == sorted(table.values())
    assert table["tvl1"] < table["zero"] / 3


def test_a_network_of_ones_own(tmp_path, compare):
    write_video(tmp_path / "move.mp4", np.stack(scene(3, -2)))
    network = "tinymotionnet_motionshapes_2frames"
    own = f"{network}={ROOT / 'checkpoints' / network}.safetensors"
    table, status, _ = compare(network, own, "--videos", tmp_path / "move.mp4")
    assert status == 0 and table[own] == table[network]
    config = tmp_path / "lr=0.1" / "own.py"
    config.parent.mkdir()
    config.write_text(f"_base_ = 'flowzoo::{network}.py'")
    own = f"{config}={ROOT / 'checkpoints' / network}.safetensors"
    again, status, _ = compare(own, own, "--videos", tmp_path / "move.mp4")
    assert status == 0 and again == {own: table[network]}


def test_weights_that_are_not_the_networks_are_refused(tmp_path, compare):
    """Otherwise, what they lack would be random."""
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "empty.pth").touch()
    torch.save({"state_dict": {}}, tmp_path / "other.pth")
    (tmp_path / "broken.py").write_text("model = dict(")
    (tmp_path / "no_model.py").write_text("load_from = None")
    network = "tinymotionnet_motionshapes_2frames"
    large = "flowzoo://tinymotionnet_motionscenes_large"
    for method, message in (
        (f"{network}=gone.pth", "gone.pth can not be found"),
        (f"{network}={tmp_path / 'text.pth'}", "text.pth"),
        (f"{network}={tmp_path / 'empty.pth'}", "empty.pth"),
        (f"{network}={tmp_path / 'other.pth'}", "do not match"),
        (f"{network}={large}", "do not match"),
        (f"{network}=", "cannot have the weights"),
        (f"{tmp_path / 'gone.py'}={large}", "no config"),
        (f"{tmp_path / 'broken.py'}={large}", "never closed"),
        (f"{tmp_path / 'no_model.py'}={large}", "no attribute 'model'"),
        (f"tvl1={large}", "tvl1 has no checkpoint"),
    ):
        _, status, said = compare(method, "--videos", tmp_path)
        assert status == 2 and message in said.splitlines()[-1]


def test_pairs_are_frames_of_an_interval(tmp_path, compare):
    """Each frame is ten gray levels brighter than the one before."""
    gray = 20 + 10 * np.arange(12, dtype=np.uint8)
    frames = np.broadcast_to(gray[:, None, None, None], (12, 32, 32, 3))
    (tmp_path / "b" / "c").mkdir(parents=True)
    write_video(tmp_path / "brighter.mp4", frames)
    write_video(tmp_path / "b" / "c" / "brighter.MP4", frames)
    for interval, pairs in ((1, 16), (3, 16), (11, 2)):
        options = "--videos", tmp_path, "--interval", interval
        table, _, said = compare("zero", *options)
        error = 10 * interval  # the codec rounds gray levels
        assert table["zero"] == pytest.approx(error, abs=2)
        assert f"{pairs} pairs of 2 videos" in said
    assert "4 pairs of 2 videos" in compare("zero", "--pairs", 2, *options[:2])[2]
    read = runpy.run_path(str(ROOT / "tools/analysis/compare_flow.py"))["read_pairs"]
    ((first, second),) = read(tmp_path / "brighter.mp4", 2, 1)  # of the middle
    assert first.mean() == pytest.approx(70, abs=2)
    assert second.mean() == pytest.approx(90, abs=2)


def test_frames_of_any_size(tmp_path, compare):
    """DIS of OpenCV crashes where one side is short and the other one long."""
    for size in ((2, 2), (8, 128), (14, 400), (200, 4)):
        path = tmp_path / "{}x{}.mp4".format(*size)
        frames = np.random.default_rng(0).integers(0, 255, (2, *size, 3), np.uint8)
        write_video(path, frames)
    table, status, _ = compare("dis", "tvl1", "zero", "--videos", tmp_path)
    assert status == 0 and set(table) == {"dis", "tvl1", "zero"}


def test_links_are_followed(tmp_path, compare):
    """As prepared data sets have them; a folder's name may end as a video's."""
    real = tmp_path / "real" / "folder.mp4"
    real.mkdir(parents=True)
    write_video(real / "two.mp4", np.zeros((2, 32, 32, 3), np.uint8))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "videos").symlink_to(tmp_path / "real")
    arguments = "zero", "--videos", tmp_path / "data", "--pairs", 10**30
    assert "1 pairs of 1 videos\n" in compare(*arguments)[2]


def test_videos_that_cannot_be_compared_are_named(tmp_path, compare):
    (tmp_path / "text.mp4").write_text("no video")
    write_video(tmp_path / "single.mp4", np.zeros((1, 32, 32, 3), np.uint8))
    _, status, said = compare("zero", "--videos", tmp_path)
    assert status == "no video could be read"
    assert "left out" in said and "text.mp4" in said
    assert "single.mp4 has no two frames 1 apart" in said
    write_video(tmp_path / "two.mp4", np.zeros((2, 32, 32, 3), np.uint8))
    assert "1 videos; 2 were left out" in compare("zero", "--videos", tmp_path)[2]
    for arguments, message in (
        (("tvl2",), "no model 'tvl2'"),
        (("tinymotionnet_motionshapes",), "takes 11 frames at once"),
        (("zero", "--device", "meta"), "cannot use 'meta' here"),
        (("zero", "--pairs", 0), "--pairs 0: at least 1"),
        (("zero", "--interval", 0), "--interval 0: at least 1"),
    ):
        _, status, said = compare(*arguments, "--videos", tmp_path)
        assert status == 2 and message in said
    (tmp_path / "empty").mkdir()
    assert "no videos below" in compare("zero", "--videos", tmp_path / "empty")[2]
