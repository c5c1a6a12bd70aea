"""Published weights of I3D: the converted network against the authors' graph."""

import runpy
import sys
from pathlib import Path

import pytest
import torch
from helpers.tensorflow_checkpoint import write_checkpoint
from helpers.upstream_i3d import (
    LOGITS,
    published_shapes,
    random_variables,
    upstream_features,
    upstream_logits,
)
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.zoo.convert_i3d import convert_i3d, has_scales

# of the PyTorch port, for the layers of a block
PORT = {
    "Branch_0/Conv3d_0a_1x1": "b0",
    "Branch_1/Conv3d_0a_1x1": "b1a",
    "Branch_1/Conv3d_0b_3x3": "b1b",
    "Branch_2/Conv3d_0a_1x1": "b2a",
    "Branch_2/Conv3d_0b_3x3": "b2b",
    "Branch_2/Conv3d_0a_3x3": "b2b",
    "Branch_3/Conv3d_0b_1x1": "b3b",
}


@pytest.fixture(scope="module")
def rgb():
    return random_variables(published_shapes(3, num_classes=7))


def in_scope(variables, scope):
    return {scope + name: value for name, value in variables.items()}


def port_of(variables):
    """The port's state_dict with the same weights."""
    state = {}
    for name, value in variables.items():
        if name.startswith(LOGITS):
            leaf = "weight" if name.endswith("w") else "bias"
            value = value.permute(4, 3, 0, 1, 2) if value.ndim > 1 else value
            state[f"logits.conv3d.{leaf}"] = value
            continue
        layer, kind, leaf = name.rsplit("/", 2)
        block, *rest = layer.split("/", 1)
        layer = ".".join([block, *(PORT[part] for part in rest)])
        if kind == "conv_3d":
            state[f"{layer}.conv3d.weight"] = value.permute(4, 3, 0, 1, 2)
            state[f"{layer}.bn.weight"] = torch.ones(value.shape[-1])
            state[f"{layer}.bn.num_batches_tracked"] = torch.tensor(0)
        else:
            theirs = dict(
                beta="bias", moving_mean="running_mean", moving_variance="running_var"
            )
            state[f"{layer}.bn.{theirs[leaf]}"] = value.flatten()
    return state


def network(state, name="i3d_inception_kinetics.py", **backbone):
    config = Config.fromfile(find_config(name)).model
    config.cls_head.num_classes = len(state["cls_head.fc_cls.bias"])
    config.backbone.update(backbone)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config)
    model.double().eval().load_state_dict(state)
    return model


def compare(model, variables, shape):
    """shape: (N, T, H, W, C)."""
    g = torch.Generator().manual_seed(1)
    x = 2 * torch.rand(shape, generator=g, dtype=torch.float64) - 1
    with torch.no_grad():
        features = model.backbone(x.permute(0, 4, 1, 2, 3))
        expected = upstream_features(variables, x)
        torch.testing.assert_close(
            features.permute(0, 2, 3, 4, 1), expected, rtol=1e-9, atol=1e-9
        )
        scores = upstream_logits(variables, expected)
        torch.testing.assert_close(
            model.cls_head(features), scores, rtol=1e-9, atol=1e-9
        )
    assert scores.std() > 0.01  # the input has not vanished


@pytest.mark.parametrize(
    "shape", [(2, 16, 32, 64, 3), (1, 15, 47, 38, 3), (1, 9, 33, 45, 3)]
)
def test_authors_rgb(rgb, shape):
    extra = {"predictor/cnn_trans/conv1d/bias": torch.zeros(2)}  # MoNet's checkpoint
    extra["RGB/inception_i3d/Conv3d_1a_7x7/conv_3d/w/Adam"] = torch.zeros(2)
    state = convert_i3d(in_scope(rgb, "RGB/inception_i3d/") | extra)
    assert not has_scales(state)
    compare(network(state), rgb, shape)


@pytest.mark.parametrize("scope", ["Flow/inception_i3d/", ""])
def test_authors_flow(scope):
    variables = random_variables(published_shapes(2))
    flat = {  # other versions of their library keep no axes of size 1
        name: value.flatten() if "batch_norm" in name else value
        for name, value in in_scope(variables, scope).items()
    }
    model = network(convert_i3d(flat), "i3d_inception_kinetics_flow.py")
    compare(model, variables, (1, 10, 33, 33, 2))


def test_port(rgb):
    port = port_of(rgb)
    state = convert_i3d(port)
    expected = convert_i3d(in_scope(rgb, "RGB/inception_i3d/"))
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)
    for name in [name for name in port if name.endswith("tracked")]:
        del port[name]  # as in old files
    assert convert_i3d(port).keys() == state.keys()


def test_port_with_scales(rgb):
    port, scaled = port_of(rgb), dict(rgb)
    port["Mixed_4d.b2b.bn.weight"] = scale = torch.linspace(-1, 2, 64).double()
    scaled["Mixed_4d/Branch_2/Conv3d_0b_3x3/batch_norm/gamma"] = scale
    state = convert_i3d(port)
    assert has_scales(state)
    model = network(state, norm_cfg=dict(type="BN3d", eps=0.001))
    compare(model, scaled, (1, 9, 33, 33, 3))


def test_faults_are_named(rgb):
    faulty = in_scope(rgb, "RGB/inception_i3d/")
    del faulty["RGB/inception_i3d/Mixed_5b/Branch_2/Conv3d_0a_3x3/conv_3d/w"]
    faulty["RGB/inception_i3d/Conv3d_2b_1x1/batch_norm/beta"] = torch.zeros(3)
    faulty["RGB/inception_i3d/more"] = torch.zeros(3)
    with pytest.raises(ValueError, match="Branch_2/Conv3d_0a_3x3/conv_3d/w is missing"):
        convert_i3d(faulty)
    with pytest.raises(ValueError, match=r"2b_1x1.*\(3,\) instead of \(64,\)"):
        convert_i3d(faulty)
    with pytest.raises(ValueError, match="more is unknown"):
        convert_i3d(faulty)
    with pytest.raises(ValueError, match=r"expected.*Found are nothing, among a$"):
        convert_i3d({"a": torch.zeros(1)})
    both = in_scope(rgb, "RGB/inception_i3d/") | in_scope(rgb, "Flow/inception_i3d/")
    with pytest.raises(ValueError, match="Found are RGB/inception_i3d/, Flow/"):
        convert_i3d(both)
    port = port_of(rgb)
    port["logits.conv3d.weight"] = torch.full((7, 1024, 1, 1, 1), torch.nan)
    port["Mixed_3b.b0.bn.bias"] = torch.zeros(3)
    with pytest.raises(ValueError, match=r"b0\.bn\.bias has shape.*; logits.*finite"):
        convert_i3d(port)


def test_the_tool(rgb, tmp_path, monkeypatch, capsys):
    tool = Path(__file__).parents[2] / "tools" / "zoo" / "convert.py"
    expected = convert_i3d(in_scope(rgb, "RGB/inception_i3d/"))
    variables = in_scope(rgb, "RGB/inception_i3d/")
    write_checkpoint(tmp_path / "ckpt", {n: v.numpy() for n, v in variables.items()})
    scaled = port_of(rgb) | {"Conv3d_2b_1x1.bn.weight": torch.full((64,), 2.0)}
    torch.save(scaled, tmp_path / "in.pt")

    def convert(name):
        out = tmp_path / "out.pth"
        monkeypatch.setattr(sys, "argv", ["x", "i3d", str(tmp_path / name), str(out)])
        runpy.run_path(str(tool), run_name="__main__")
        return torch.load(out, weights_only=True), capsys.readouterr().out

    state, said = convert("ckpt")
    torch.testing.assert_close(state, expected)
    command = "configs/i3d_inception_kinetics.py --cfg-options "
    assert f"3 channels, 7 classes, for\n{command}model.cls_head.num_classes=7" in said
    state, said = convert("in.pt")
    assert has_scales(state) and "model.backbone.norm_cfg.type=BN3d" in said
    with pytest.raises(SystemExit):
        convert("absent.pt")
