"""Conversion of the representation-flow authors' files."""

import runpy
import sys
from pathlib import Path

import pytest
import torch
from helpers.upstream_fcf_network import published_shapes as published_fcf_shapes
from helpers.upstream_repflow_network import (
    published_shapes,
    random_state,
    upstream_network,
)
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint
from upstream_repflow import upstream_layer

from flowzoo.io.checkpoint_io import read_state_dict
from flowzoo.zoo.convert_repflow import convert, convert_network
from flowzoo_kernels import RepresentationFlow

ROOT = Path(__file__).parents[2]


def layer_state(channels=3, learned=("t", "l", "a")):
    shapes = {"img_grad": (1, 3), "img_grad2": (3, 1)}
    shapes |= {"f_grad": (1, 2), "f_grad2": (2, 1), "div": (1, 2), "div2": (2, 1)}
    shapes = {name: (channels, 1, *taps) for name, taps in shapes.items()}
    return random_state(shapes | dict.fromkeys(learned, (1,)))


@pytest.fixture(scope="module")
def network():
    return random_state(published_shapes(num_classes=5))


def test_first_layer():
    theirs = layer_state()
    kind, ours = convert(theirs)
    assert kind == "layer"
    layer = RepresentationFlow(3, n_iters=6, variant="tvl1", normalize="legacy")
    layer.load_state_dict(ours)
    x = torch.rand(2, 3, 4, 5, 7)
    maps = 255 * (x - x.min()) / (x.min() - x.max())
    kernels = [
        torch.stack([theirs[name].flatten(1), theirs[f"{name}2"].flatten(1)], dim=1)
        for name in ("img_grad", "f_grad", "div")
    ]
    expected = upstream_layer(maps, *kernels, *(theirs[n] for n in ("t", "l", "a")), 6)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)


def test_scalars_that_were_not_learned():
    ours = convert(layer_state(learned=("l",)))[1]
    start = RepresentationFlow(3, variant="tvl1").state_dict()
    assert ours["theta"] == start["theta"] and ours["tau"] == start["tau"]
    assert ours["lam"] != start["lam"]
    too_small = layer_state() | {"t": torch.tensor([-0.1])}
    with pytest.raises(ValueError, match=r"t is -0\.1, but a learned theta counts"):
        convert(too_small)


def test_faults_are_named(network):
    faulty = {k: v for k, v in network.items() if k != "bn1.weight"}
    faulty["extra"] = torch.zeros(1)
    faulty["res2.blocks.0.layers.1.weight"] = torch.zeros(64, 64, 1, 1, 1)
    faulty["classify.bias"] = torch.full((5,), torch.nan)
    with pytest.raises(ValueError) as error:
        convert_network(faulty)
    for text in (
        "bn1.weight is missing",
        "extra is unknown",
        "res2.blocks.0.layers.1.weight has shape (64, 64, 1, 1, 1) instead of "
        "(64, 64, 3, 1, 1)",
        "classify.bias has values that are not finite",
    ):
        assert text in str(error.value)
    with pytest.raises(ValueError, match=r"classify\.weight is missing"):
        convert_network({k: v for k, v in network.items() if "classify" not in k})
    with pytest.raises(ValueError, match=r"and \d+ more"):
        convert({"stem.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"neither.*fc\.weight"):
        convert({"fc.weight": torch.zeros(1)})
    # the last layer alone is not the first one
    last = {k.removeprefix("rep_flow."): v for k, v in network.items() if "rep_" in k}
    with pytest.raises(ValueError, match=r"img_grad has shape .* bn.weight is unknown"):
        convert(last)


def test_files(tmp_path):
    theirs = layer_state()
    path = tmp_path / "theirs.pt"
    parallel = {f"module.{name}": value for name, value in theirs.items()}
    for content in (theirs, parallel, dict(state_dict=theirs, epoch=3)):
        # PyTorch 0.4, with which theirs was written, had another format
        torch.save(content, path, _use_new_zipfile_serialization=content is not theirs)
        assert read_state_dict(path).keys() == theirs.keys()
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="holds no state_dict"):
        read_state_dict(path)
    # what the unpickler takes for commands ends in errors of all kinds
    for content in (b"not a file of torch", b"hello", b"(a", b"PK\x03\x04", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"theirs\.pt is not a state_dict"):
            read_state_dict(path)
    with pytest.raises(OSError, match="directory"):
        read_state_dict(tmp_path)


class Hostile:
    def __reduce__(self):
        return print, ("this code was run",)


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    torch.save({"img_grad": Hostile()}, tmp_path / "hostile.pt")
    with pytest.raises(ValueError, match="holds more than tensors"):
        read_state_dict(tmp_path / "hostile.pt")
    assert capsys.readouterr().out == ""


@pytest.fixture
def run_tool(monkeypatch, capsys):
    """Run the tool in this process; returns its exit status and what it said."""

    def run(*args):
        tool = str(ROOT / "tools/zoo/convert.py")
        monkeypatch.setattr(sys, "argv", [tool, "repflow", *map(str, args)])
        status = 0
        try:
            runpy.run_path(tool, run_name="__main__")
        except SystemExit as end:
            status = end.code
        out, err = capsys.readouterr()
        return status, out + err

    return run


def test_tool_and_config(network, tmp_path, run_tool):
    """From a file of theirs to scores of the config, views one at a time."""
    torch.save(network, tmp_path / "rep_flow.pt")
    status, said = run_tool(tmp_path / "rep_flow.pt", tmp_path / "ours.pth")
    assert status == 0, said
    assert "5 classes" in said
    assert "tools/test.py configs/repflow/repflow_r50_kinetics_released.py" in said

    config = Config.fromfile(ROOT / "configs/repflow/repflow_r50_kinetics_released.py")
    config.model.cls_head.num_classes = 5
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model).eval()
    load_checkpoint(model, str(tmp_path / "ours.pth"), strict=True)
    clips = torch.randint(256, (2, 3, 12, 32, 32), dtype=torch.uint8)
    batch = model.data_preprocessor(dict(inputs=[clips], data_samples=None))
    with torch.no_grad():
        features, _ = model.extract_feat(batch["inputs"], test_mode=True)
        scores = model.cls_head(features)
        expected = [
            upstream_network(network, view[None] / 127.5 - 1) for view in clips.float()
        ]
    torch.testing.assert_close(scores, torch.cat(expected), rtol=1e-3, atol=1e-3)


def test_tool_picks_a_layer(tmp_path, run_tool):
    state = {f"flow_layer.{name}": value for name, value in layer_state().items()}
    torch.save(state | {"fc.weight": torch.zeros(2)}, tmp_path / "theirs.pt")
    files = tmp_path / "theirs.pt", tmp_path / "out.pt"
    status, said = run_tool(*files, "--layer", "flow_layer")
    assert status == 0 and "3 channels, variant 'tvl1'" in said
    RepresentationFlow(3, variant="tvl1").load_state_dict(
        torch.load(files[1], weights_only=True)
    )
    status, said = run_tool(*files, "--layer", "flow")
    assert status == 2 and "begins with flow." in said
    status, said = run_tool(tmp_path / "none.pt", files[1])
    assert status == 2 and "none.pt" in said


def test_tool_converts_the_2plus1d_network(tmp_path, run_tool):
    theirs = random_state(published_fcf_shapes(18, num_classes=5))
    parallel = {f"module.{name}": value for name, value in theirs.items()}
    torch.save(parallel, tmp_path / "model.pt")
    status, said = run_tool(tmp_path / "model.pt", tmp_path / "ours.pth")
    assert status == 0 and "the (2+1)D network, 5 classes" in said
    assert "configs/repflow/repflow_r2plus1d50_kinetics_fcf_authors.py" in said
    path = ROOT / "configs/repflow/repflow_r2plus1d50_kinetics_fcf_authors.py"
    config = Config.fromfile(path)
    config.model.backbone.depth = 18
    config.model.cls_head.update(num_classes=5, in_channels=512)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model)
    load_checkpoint(model, str(tmp_path / "ours.pth"), strict=True)
    pixels = torch.tensor([0.0, 255.0]).view(1, 1, 2, 1, 1).expand(1, 3, 2, 4, 4)
    batch = model.data_preprocessor(dict(inputs=[pixels], data_samples=None))
    assert batch["inputs"].flatten().unique().tolist() == [-1, 1]
    assert batch["inputs"][0, 0, 0, 0, 0, 0] == 1  # their loaders: 1 - 2 x / 255


def test_depths_of_the_2plus1d_network():
    theirs = published_fcf_shapes(18, num_classes=5)
    state = {n: torch.zeros(s) for n, s in theirs.items() if "layer3.1" not in n}
    with pytest.raises(ValueError, match=r"1 blocks of layer3.*128 channels"):
        convert(state)
