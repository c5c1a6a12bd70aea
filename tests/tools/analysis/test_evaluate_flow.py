"""tools/analysis/evaluate_flow.py, as a user calls it."""

import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.flow_pairs import middlebury, scene, write
from helpers.tool_process import run_tool

ROOT = Path(__file__).parents[3]


def evaluate(method, dataset, root, *options):
    tool = ROOT / "tools/analysis/evaluate_flow.py"
    result = run_tool(tool, method, dataset, "--root", root, *options)
    assert result.returncode == 0, result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("|")]
    rows = [line.strip("| ").split(" | ") for line in lines]
    header, _, *rows = rows
    return {
        name: {k: float(v) for k, v in zip(header[1:], values, strict=True) if v}
        for name, *values in rows
    }


def test_middlebury(tmp_path):
    middlebury(tmp_path, "A", 3, 4)
    middlebury(tmp_path, "B", 0, 2)
    zero = evaluate("zero", "middlebury", tmp_path, "--pictures", tmp_path / "errors")
    assert zero["A"]["EPE"] == 5 and zero["B"]["EPE"] == 2
    assert zero["all"]["EPE"] == 3.5
    assert zero["A"]["Fl"] == 100 and zero["B"]["Fl"] == 0
    assert zero["B"]["AAE"] == pytest.approx(np.degrees(np.arctan(2)), abs=1e-3)
    picture = cv2.imread(str(tmp_path / "errors" / "A" / "A.png"), 0)
    assert picture[0, 0] == 0 and picture[32, 32] == 127
    for method in ("tvl1", "dis"):
        assert evaluate(method, "middlebury", tmp_path)["all"]["EPE"] < 1


def load_tool():
    return runpy.run_path(str(ROOT / "tools/analysis/evaluate_flow.py"))


def test_nan_of_a_method_shows_and_small_angles_are_exact():
    tool = load_tool()
    pair = tool["Pair"]("a", "a", *[Path()] * 3)
    truth = np.full((2, 2, 2), 3.0, np.float32)
    truth[0, 0] = np.nan
    flow = np.full((2, 2, 2), 3.0, np.float32)
    sums, _ = tool["measure"](pair, flow, truth)
    assert {name: tuple(v) for name, v in sums.items()} == {
        "EPE": (0, 3),
        "AAE": (0, 3),
        "Fl": (0, 3),
    }
    flow[1, 1] = np.nan
    sums, _ = tool["measure"](pair, flow, truth)
    assert np.isnan(sums["EPE"][0]) and tuple(sums["Fl"]) == (100, 3)


def refuse(capsys, *arguments):
    """What the tool says when it exits."""
    tool = load_tool()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as error:
        patch.setattr(sys, "argv", ["evaluate_flow.py", *map(str, arguments)])
        tool["main"]()
    assert error.value.code not in (None, 0)
    return f"{error.value.code}\n{capsys.readouterr().err}"


def test_files_of_other_sizes(tmp_path, capsys):
    middlebury(tmp_path, "A", 1, 0)
    command = "zero", "middlebury", "--root", tmp_path
    frame = tmp_path / "other-data" / "A" / "frame11.png"
    write(frame, scene(1, 0, 60)[1])
    said = refuse(capsys, *command)
    assert "flow10.flo" in said and "second: (60, 60), flow: (64, 64)" in said
    frame.unlink()
    assert "frame11.png is missing" in refuse(capsys, *command)


def test_unknown_methods(tmp_path, capsys):
    middlebury(tmp_path, "A", 1, 0)
    where = "middlebury", "--root", tmp_path
    assert "no model 'tvl2'" in refuse(capsys, "tvl2", *where)
    said = refuse(capsys, "tvl2", *where, "--checkpoint", "a.pth")
    assert "no config 'tvl2.py'" in said and len(said) < 300
    name = "tinymotionnet_motionshapes_2frames"
    assert "b.pth" in refuse(capsys, name, *where, "--checkpoint", "b.pth")
    said = refuse(capsys, "tvl1", "middlebury", "--root", tmp_path / "nowhere")
    assert "is --root right?" in said
    blocked = frame = tmp_path / "other-data" / "A" / "frame10.png"
    said = refuse(capsys, "zero", *where, "--pictures", blocked)
    assert f"cannot write {frame}" in said


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_devices_that_are_not_there(tmp_path, capsys):
    arguments = "tvl1", "middlebury", "--root", tmp_path, "--device"
    assert "'cuda' is not there" in refuse(capsys, *arguments, "cuda")
    assert "'gpu7' is no device" in refuse(capsys, *arguments, "gpu7")
    assert "cannot use 'mtia' here" in refuse(capsys, *arguments, "mtia")


def test_kitti(tmp_path, capsys):
    """16-bit PNGs; a pixel without flow, half of the others occluded."""
    folder = tmp_path / "training"
    for number, frame in zip((10, 11), scene(3, -4), strict=True):
        write(folder / "image_2" / f"000000_{number}.png", frame)
    image = np.empty((64, 64, 3), np.uint16)
    image[:] = 1, 2**15 - 4 * 64, 2**15 + 3 * 64  # valid, v, u: OpenCV's order
    image[:32, :, 1:] = 2**15
    image[5, 5, 0] = 0
    write(folder / "flow_occ" / "000000_10.png", image)
    image[:32, :, 0] = 0
    write(folder / "flow_noc" / "000000_10.png", image)
    (row,) = evaluate("zero", "kitti2015", tmp_path).values()
    assert row["noc"] == 5 and row["occ"] == 0
    assert row["EPE"] == pytest.approx(5 * 2048 / 4095, abs=1e-3)
    assert row["Fl"] == pytest.approx(100 * 2048 / 4095, abs=1e-3)
    image[:32, :, 0] = 0
    write(folder / "flow_occ" / "000000_10.png", image)
    assert row["Fl-noc"] == 100 and "Out" not in row
    (row,) = evaluate("tvl1", "kitti2015", tmp_path).values()
    assert row["EPE"] < 2  # the sign of both components
    (folder / "image_2").rename(folder / "image_0")  # KITTI 2012 in gray
    (row,) = evaluate("zero", "kitti2012", tmp_path).values()
    assert row["EPE"] == 5 and row["Out"] == row["Out-noc"] == 100
    (folder / "flow_noc" / "000000_10.png").unlink()
    said = refuse(capsys, "zero", "kitti2012", "--root", tmp_path)
    assert "flow_noc/000000_10.png is not a 16-bit" in said


def test_kitti2012_counts_pixels_by_their_error_alone():
    """An error of 4 pixels is below 5 % of a motion of 100."""
    tool = load_tool()
    pair = tool["Pair"]("kitti2012", "a", *[Path()] * 3)
    truth = np.zeros((2, 2, 2), np.float32)
    truth[0, :, 0] = 100
    flow = truth.copy()
    flow[0, 0, 0] += 4
    flow[1, 1, 0] = np.nan
    sums, _ = tool["measure"](pair, flow, truth)
    assert tuple(sums["Fl"]) == (100, 4) and tuple(sums["Out"]) == (200, 4)


def test_sintel(tmp_path, capsys):
    folder = tmp_path / "training"
    for kind in ("clean", "final"):
        for number, frame in enumerate(scene(3, 4), 1):
            write(folder / kind / "alley" / f"frame_{number:04}.png", frame)
    (folder / "flow" / "alley").mkdir(parents=True)
    flow = np.zeros((64, 64, 2), np.float32)
    flow[:16] = 3, 4
    path = folder / "flow" / "alley" / "frame_0001.flo"
    cv2.writeOpticalFlow(str(path), flow)
    hidden = np.zeros((64, 64), np.uint8)
    hidden[:16] = 255
    write(folder / "occlusions" / "alley" / "frame_0001.png", hidden)
    rows = evaluate("zero", "sintel", tmp_path)
    assert list(rows) == ["clean/alley", "final/alley", "all of clean", "all of final"]
    for row in rows.values():
        assert (row["EPE"], row["noc"], row["occ"]) == (1.25, 0, 5)
    path = folder / "occlusions" / "alley" / "frame_0001.png"
    write(path, hidden[1:])
    said = refuse(capsys, "zero", "sintel", "--root", tmp_path)
    assert "flow: (64, 64), occlusion: (63, 64)" in said
    path.unlink()
    said = refuse(capsys, "zero", "sintel", "--root", tmp_path)
    assert "frame_0001.png is missing or no picture" in said


def test_motionnet(tmp_path):
    """With a checkpoint; the frames are no multiple of its strides."""
    middlebury(tmp_path, "A", 1, 0, size=72)
    name = "tinymotionnet_motionshapes_2frames"
    checkpoint = ROOT / "checkpoints" / f"{name}.safetensors"
    options = "--checkpoint", checkpoint
    (row,) = evaluate(f"{name}.py", "middlebury", tmp_path, *options).values()
    assert 0 < row["EPE"] < 1
