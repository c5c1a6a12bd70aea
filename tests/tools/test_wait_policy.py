"""How torch's threads wait: our tools say so, before torch is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
CODE = """
import os, pathlib, sys
sys.path.insert(0, {tools!r})
pathlib.Path.glob = lambda folder, pattern: iter({devices})
from mmaction_tool import run_mmaction_tool

class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == "mmaction":
            sys.exit(os.environ.get("OMP_WAIT_POLICY"))

sys.meta_path.insert(0, Stop())
assert "torch" not in sys.modules
run_mmaction_tool("train.py")
"""


@pytest.mark.parametrize(
    ("environment", "devices", "expected"),
    [
        ({}, [], "PASSIVE\n"),
        ({}, ["nvidia0"], ""),
        ({"CUDA_VISIBLE_DEVICES": ""}, ["nvidia0"], "PASSIVE\n"),
        ({"OMP_WAIT_POLICY": "active"}, [], "active\n"),
        ({"GOMP_SPINCOUNT": "100"}, [], ""),
    ],
)
def test_wait_policy(monkeypatch, environment, devices, expected):
    """The policy at the first import of what loads torch."""
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code = CODE.format(tools=str(TOOLS), devices=devices)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == expected


@pytest.mark.parametrize("tool", ["data/extract_features.py", "zoo/evaluate.py"])
def test_tools_of_ours_wait_passively(monkeypatch, tool):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    code = CODE.format(tools=str(TOOLS), devices=[]).replace('"mmaction"', '"torch"')
    code = code.replace("from mmaction_tool import run_mmaction_tool", "import runpy")
    code = code.replace(
        'run_mmaction_tool("train.py")', f"runpy.run_path({str(TOOLS / tool)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "PASSIVE\n"
