"""Their network, written down from their graph in NumPy, against the converted one."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tensorflow_checkpoint import write_checkpoint

from flowzoo.models.necks import MoNet
from flowzoo.zoo.convert_monet import convert_monet

D = 3
SHAPES = {
    "predictor/cnn_trans_x/conv1d/kernel": (1, D, 6 * D),
    "predictor/cnn_trans_x/conv1d/bias": (6 * D,),
    "predictor/cnn_trans/conv1d/kernel": (3, D, 5 * D),
    "predictor/cnn_trans/conv1d/bias": (5 * D,),
    "predictor/cnn_trans/fully_connected/weights": (D, D),
    "predictor/cnn_trans/fully_connected/biases": (D,),
    "predictor/cnn_trans/fully_connected_1/weights": (D, D),
    "predictor/cnn_trans/fully_connected_1/biases": (D,),
}


def variables(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}


def tensors(values):
    return {name: torch.from_numpy(value) for name, value in values.items()}


def their_network(v, x, layers):
    """x: (T, D). Everything for all steps at once, with TensorFlow's layouts."""
    v = {name.removeprefix("predictor/"): value for name, value in v.items()}
    T = len(x)
    of_x = x @ v["cnn_trans_x/conv1d/kernel"][0] + v["cnn_trans_x/conv1d/bias"]
    ztx, zp1x, zm1x, rp1x, rm1x, htx = np.split(of_x, 6, axis=-1)
    s = np.zeros((T, D))
    end = np.zeros((1, D))
    for _ in range(layers):
        before = np.concatenate([end, s[:-1]])
        after = np.concatenate([s[1:], end])
        kernel = v["cnn_trans/conv1d/kernel"]
        of_s = before @ kernel[0] + s @ kernel[1] + after @ kernel[2]
        of_s = of_s + v["cnn_trans/conv1d/bias"]
        zts, zp1s, zm1s, rp1s, rm1s = np.split(of_s, 5, axis=-1)
        gates = np.exp(np.stack([ztx + zts, zp1x + zp1s, zm1x + zm1s]))
        zt, zp1, zm1 = gates / gates.sum(0)
        rp1, rm1 = (1 / (1 + np.exp(-a)) for a in (rp1x + rp1s, rm1x + rm1s))
        h = htx
        for name, state in (
            ("fully_connected", before * rm1),
            ("fully_connected_1", after * rp1),
        ):
            layer = f"cnn_trans/{name}"
            h = h + state @ v[f"{layer}/weights"] + v[f"{layer}/biases"]
        s = zt * np.tanh(h) + zp1 * after + zm1 * before
    return s


def test_converted_network_computes_the_same():
    theirs = variables()
    net = MoNet(D, num_layers=4, variant="released").double()
    net.load_state_dict(convert_monet(tensors(theirs)))
    x = np.random.default_rng(1).standard_normal((6, D))
    expected = their_network(theirs, x, layers=4)
    actual = net(torch.from_numpy(x)[None])[0].detach()
    np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_what_is_not_of_the_network_is_passed_over():
    theirs = tensors(variables())
    expected = convert_monet(theirs)
    theirs["RGB/inception_i3d/Conv3d_1a_7x7/w"] = torch.zeros(2)
    theirs["predictor/cnn_trans/conv1d/bias/Adam"] = torch.zeros(2)
    torch.testing.assert_close(convert_monet(theirs), expected)


def test_faulty_variables_are_named():
    theirs = tensors(variables())
    del theirs["predictor/cnn_trans/fully_connected_1/biases"]
    theirs["predictor/cnn_trans/conv1d/bias"] = torch.zeros(4)
    theirs["predictor/more"] = torch.zeros(1)
    with pytest.raises(
        ValueError, match="fully_connected_1/biases is missing"
    ) as error:
        convert_monet(theirs)
    assert "conv1d/bias has shape (4,) instead of (15,)" in str(error.value)
    assert "more is unknown" in str(error.value)
    with pytest.raises(ValueError, match="not their MoNet"):
        convert_monet({"a": torch.zeros(1)})


def test_the_tool_on_a_checkpoint(tmp_path, monkeypatch, capsys):
    write_checkpoint(tmp_path / "in.ckpt", variables())
    tool = Path(__file__).parents[2] / "tools" / "zoo" / "convert.py"
    out = tmp_path / "out.pth"
    monkeypatch.setattr(
        sys, "argv", ["x", "monet", str(tmp_path / "in.ckpt"), str(out)]
    )
    runpy.run_path(str(tool), run_name="__main__")
    expected = convert_monet(tensors(variables()))
    torch.testing.assert_close(torch.load(out, weights_only=True), expected)
    assert "MoNet of 3 channels" in capsys.readouterr().out
