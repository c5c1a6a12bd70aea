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
