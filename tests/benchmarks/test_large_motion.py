"""A motion estimator beside other methods, on pairs with true flow."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.flow_pairs import middlebury, scene, write
from helpers.tool_process import run_tool

TOOL = Path(__file__).parents[2] / "benchmarks" / "large_motion.py"


def test_each_method_on_both_datasets(tmp_path, monkeypatch):
    middlebury(tmp_path / "middlebury", "A", 3, 4)
    chairs = tmp_path / "chairs"
    for number, frame in enumerate(scene(5, 0), 1):
        write(chairs / f"00001_img{number}.ppm", frame)
    flow = np.full((64, 64, 2), (5, 0), np.float32)
    cv2.writeOpticalFlow(str(chairs / "00001_flow.flo"), flow)
    name = "tinymotionnet_motionscenes_large"
    folders = ["--middlebury", tmp_path / "middlebury", "--flyingchairs", chairs]
    results = tmp_path / "results"
    monkeypatch.setenv("FLOWZOO_RESULTS", str(results))
    result = run_tool(TOOL, name, *folders)
    assert result.returncode == 0, result.stdout
    found = json.loads((results / f"{name}_pairs.json").read_text())
    for dataset in ("middlebury", "flyingchairs"):
        errors = found[dataset]["mean over pairs"]
        assert errors.pop("zero") == pytest.approx(5)
        assert set(errors) == {"DIS", "TV-L1 fast", "TV-L1 opencv", "network"}
        assert max(errors.values()) < 2
    assert cv2.imread(str(results / f"{name}_pairs.png")) is not None


@pytest.mark.parametrize(
    ("name", "chairs", "results", "message"),
    [
        ("zero_flow", "chairs", "results", "the zoo has no model 'zero_flow'"),
        ("repflow_r18_motionshapes", "chairs", "results", "estimates no flow"),
        # before the pairs of Middlebury take their minutes
        ("tinymotionnet_motionscenes_large", "none", "results", "/none"),
        ("tinymotionnet_motionscenes_large", "chairs", "a/b", "Not a directory"),
    ],
)
def test_what_is_wrong_is_named_first(
    tmp_path, monkeypatch, name, chairs, results, message
):
    (tmp_path / "a").touch()
    middlebury(tmp_path / "middlebury", "A", 3, 4)
    for number, frame in enumerate(scene(5, 0), 1):
        write(tmp_path / "chairs" / f"00001_img{number}.ppm", frame)
    flow = np.full((64, 64, 2), (5, 0), np.float32)
    cv2.writeOpticalFlow(str(tmp_path / "chairs" / "00001_flow.flo"), flow)
    monkeypatch.setenv("FLOWZOO_RESULTS", str(tmp_path / results))
    folders = ["--middlebury", tmp_path / "middlebury"]
    folders += ["--flyingchairs", tmp_path / chairs]
    result = run_tool(TOOL, name, *folders)
    assert (result.returncode, message in result.stdout) == (2, True), result.stdout
    assert "Traceback" not in result.stdout and "end-point" not in result.stdout


def test_another_command_names_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "a").touch()
    monkeypatch.setenv("FLOWZOO_RESULTS", str(tmp_path / "a" / "b"))
    result = run_tool(TOOL.with_name("weizmann_motionnet.py"), tmp_path)
    assert (result.returncode, "Not a directory" in result.stdout) == (2, True)
