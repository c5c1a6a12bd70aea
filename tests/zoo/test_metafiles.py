"""The zoo of this clone: tables up to date, weights that fit their configs."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

from flowzoo.compat.configs import find_config
from flowzoo.zoo import download, find, load, models
from flowzoo.zoo.complexity import complexity

ROOT = Path(__file__).parents[2]
TRAINED = [model.name for model in models().values() if model.checkpoint]


def test_tables_are_up_to_date():
    tool = ROOT / "tools" / "zoo" / "build_model_zoo.py"
    done = subprocess.run(
        [sys.executable, tool, "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_some_models_are_trained():
    assert "repflow_r18_motionshapes" in TRAINED
    total = sum(find(name).checkpoint.size for name in TRAINED)
    assert total < 40 * 2**20
    assert all(find(name).checkpoint.size < 10 * 2**20 for name in TRAINED)


@pytest.mark.parametrize("name", TRAINED)
def test_weights_fit_their_config(name):
    assert download(name).parent == ROOT / "checkpoints"
    model = load(name)
    assert not model.training


@pytest.mark.parametrize("name", TRAINED)
def test_measured_complexity(name):
    model = find(name)
    config = Config.fromfile(find_config(model.config))
    assert complexity(config, model.input) == (model.parameters, model.multiply_adds)


def test_model_index_is_what_mim_reads():
    """mim takes no model without weights at an http address."""
    index = yaml.safe_load((ROOT / "model-index.yml").read_text())
    assert [entry["Name"] for entry in index["Models"]] == TRAINED
    families = {entry["Name"] for entry in index["Collections"]}
    for entry in index["Models"]:
        assert (ROOT / entry["Config"]).is_file()
        assert entry["Weights"].startswith("https://")
        assert entry["In Collection"] in families
