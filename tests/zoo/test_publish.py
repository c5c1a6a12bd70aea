"""tools/zoo/publish.py, but for the test on a dataset."""

import hashlib
import importlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from mmengine.hooks import EMAHook
from mmengine.model import ExponentialMovingAverage
from safetensors.torch import load_file
from torch import nn

from flowzoo.io.checkpoint_io import read_checkpoint

TOOLS = Path(__file__).parents[2] / "tools" / "zoo"


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """The tool on a zoo of one model, whose test always ends at 0.75."""
    monkeypatch.syspath_prepend(TOOLS)
    tool = importlib.import_module("publish")
    metafile = tmp_path / "family.yml"
    metafile.write_text(yaml.safe_dump({"models": [{"config": "net.py"}]}))
    content = [(metafile, yaml.safe_load(metafile.read_text()))]
    monkeypatch.setattr(tool, "read_metafiles", lambda: content)
    monkeypatch.setattr(tool, "REPOSITORY", tmp_path / "checkpoints")
    monkeypatch.setattr(tool, "evaluate", lambda *args: {"acc/top1": 0.75})
    (tmp_path / "net.py").write_text("root = '{{$FLOWZOO_DATA:data}}/clips'\n")
    monkeypatch.setenv("FLOWZOO_DATA", "/a folder/of this machine")
    log = tmp_path / "work" / "2026" / "vis_data" / "scalars.json"
    log.parent.mkdir(parents=True)
    log.write_text('{"loss": 1}\n')

    def run(checkpoint: dict, *args: str) -> Path:
        path = tmp_path / "work" / "epoch_1.pth"
        torch.save(checkpoint, path)
        argv = ["publish.py", tmp_path / "net.py", path, "--metric", *args]
        monkeypatch.setattr(sys, "argv", [str(arg) for arg in argv])
        tool.main()
        return tmp_path

    yield run
    sys.modules.pop("publish", None)


def test_file_log_and_metafile(publish):
    net = nn.Linear(2, 3)
    optimizer = {"state": {0: torch.ones(3)}}
    folder = publish(
        {"state_dict": net.state_dict(), "optimizer": optimizer}, "acc/top1"
    )
    path = folder / "checkpoints" / "net.safetensors"
    found = load_file(path)
    assert found.keys() == net.state_dict().keys()
    torch.testing.assert_close(found["weight"], net.weight.detach())
    assert read_checkpoint(path)["meta"]["config"] == "root = 'data/clips'\n"
    assert os.environ["FLOWZOO_DATA"] == "/a folder/of this machine"
    log = folder / "checkpoints" / "net.log.json"
    assert json.loads(log.read_text()) == {"loss": 1}
    (entry,) = yaml.safe_load((folder / "family.yml").read_text())["models"]
    assert entry["result"]["metric"] == "acc/top1" and entry["result"]["value"] == 0.75
    assert entry["checkpoint"] == {
        "file": "net.safetensors",
        "size": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def test_averaged_weights_are_published(publish):
    net = nn.Linear(2, 3)
    hook = EMAHook()
    hook.ema_model = ExponentialMovingAverage(net)
    averaged = net.weight.detach().clone()
    nn.init.zeros_(net.weight)
    checkpoint = {"state_dict": net.state_dict()}
    hook.before_save_checkpoint(SimpleNamespace(), checkpoint)
    folder = publish(checkpoint, "acc/top1")
    found = load_file(folder / "checkpoints" / "net.safetensors")
    torch.testing.assert_close(found["weight"], averaged)


def test_nothing_is_left_of_a_wrong_metric(publish, tmp_path):
    with pytest.raises(SystemExit, match="gave no 'top1', but acc/top1"):
        publish({"state_dict": nn.Linear(2, 3).state_dict()}, "top1")
    assert not (tmp_path / "checkpoints").exists()
    (entry,) = yaml.safe_load((tmp_path / "family.yml").read_text())["models"]
    assert entry == {"config": "net.py"}
