"""The zoo's file format and mmengine's ways to it."""

import pytest
import torch
from helpers.local_server import NAME
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors.torch import save_file
from torch import nn

import flowzoo  # noqa: F401
from flowzoo.io.checkpoint_io import read_checkpoint, write_checkpoint


def test_round_trip(tmp_path):
    weights = {
        "a": torch.randn(3, 4).t(),  # not contiguous
        "half": torch.randn(5).half(),
        "count": torch.tensor(7),
    }
    meta = {"classes": ["å", "b c"], "metrics": {"acc/top1": 0.5}}
    write_checkpoint(tmp_path / "x.safetensors", weights, meta)
    back = read_checkpoint(tmp_path / "x.safetensors")
    assert back["meta"] == meta
    assert back["state_dict"].keys() == weights.keys()
    for name, tensor in weights.items():
        assert torch.equal(back["state_dict"][name], tensor)
        assert back["state_dict"][name].dtype == tensor.dtype


@pytest.mark.parametrize("meta", [None, {}, {"format": "pt", "title": "x y", "n": "1"}])
def test_file_of_another_library(tmp_path, meta):
    """Its text is any text."""
    path = tmp_path / "x.safetensors"
    save_file({"weight": torch.ones(2)}, path, metadata=meta)
    loaded = CheckpointLoader.load_checkpoint(str(path), "cpu")
    assert torch.equal(loaded["state_dict"]["weight"], torch.ones(2))
    assert loaded["meta"] == ({"format": "pt", "title": "x y", "n": 1} if meta else {})


def test_text_that_is_nested_too_deeply_for_json(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({}, path, metadata={"brackets": "[" * 100_000})
    assert len(read_checkpoint(path)["meta"]["brackets"]) == 100_000


def test_tied_weights_are_written(tmp_path):
    layer = nn.Linear(3, 3)
    pair = nn.Sequential(layer, layer)
    write_checkpoint(tmp_path / "x.safetensors", pair.state_dict(), {})
    back = read_checkpoint(tmp_path / "x.safetensors")["state_dict"]
    assert torch.equal(back["0.weight"], back["1.weight"])


def test_mmengine_loads_a_path(checkpoint):
    loaded = CheckpointLoader.load_checkpoint(str(checkpoint), "cpu")
    assert torch.equal(loaded["state_dict"]["weight"], torch.arange(30000.0))


def test_mmengine_loads_a_name(server):
    loaded = CheckpointLoader.load_checkpoint(f"flowzoo://{NAME}", "cpu")
    assert torch.equal(loaded["state_dict"]["weight"], torch.arange(30000.0))
    assert loaded["meta"] == {"classes": ["a", "b"]}


def test_init_cfg(server):
    class Model(BaseModule):
        def __init__(self, init_cfg):
            super().__init__(init_cfg)
            self.weight = nn.Parameter(torch.zeros(30000))

    model = Model(dict(type="Pretrained", checkpoint=f"flowzoo://{NAME}"))
    model.init_weights()
    assert torch.equal(model.weight, torch.arange(30000.0))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        read_checkpoint(tmp_path / "absent.safetensors")


def test_truncated_file(checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        read_checkpoint(checkpoint)
