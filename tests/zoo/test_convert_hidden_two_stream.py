"""Conversion of the hidden two-stream authors' Caffe weights."""

import runpy
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS

from flowzoo.io.caffemodel import net_parameter_class, read_caffemodel
from flowzoo.models.backbones import VGG16
from flowzoo.zoo import convert_hidden_two_stream as converter

pytest.importorskip("google.protobuf")
TOOL = Path(__file__).parents[2] / "tools/zoo/convert.py"
FRAMES, HIDDEN, CLASSES = 2, 6, 5
FLOW = 2 * (FRAMES - 1)


def caffe_shapes():
    """Weight of each layer of the published network, of two frames and a small fc6."""
    widths = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512, 6: 1024}
    shapes, below = {}, 3 * FRAMES
    for level, width in widths.items():
        shapes[f"conv{level}"] = (width, below, 3, 3)
        shapes[f"conv{level}_1"] = (width, width, 3, 3)
        below = width
    shapes["conv_pr6"] = (FLOW, 1024, 3, 3)
    for level, width in {5: 512, 4: 256, 3: 128, 2: 64}.items():
        shapes[f"deconv{level}"] = (below, width, 4, 4)
        shapes[f"upsample_flow{level + 1}to{level}"] = (FLOW, FLOW, 4, 4)
        joined = widths[level] + width + FLOW
        shapes[f"smooth_conv{level}"] = (width, joined, 3, 3)
        shapes[f"conv_pr{level}"] = (FLOW, width, 3, 3)
        below = width
    below = FLOW
    for stage, count in enumerate((2, 2, 3, 3, 3), 1):
        for i in range(1, count + 1):
            width = min(512, 32 * 2**stage)
            shapes[f"conv{stage}_{i}_vgg16"] = (width, below, 3, 3)
            below = width
    shapes["fc6_vgg16"] = (HIDDEN, 512 * 49)
    shapes["fc7_vgg16"] = (HIDDEN, HIDDEN)
    shapes["fc8_vgg16"] = (CLASSES, HIDDEN)
    return shapes


@pytest.fixture(scope="module")
def theirs():
    g = torch.Generator().manual_seed(0)
    tensors = {}
    for name, shape in caffe_shapes().items():
        inputs = torch.Size(shape[1:]).numel()
        if name.startswith(("deconv", "upsample")):
            inputs = shape[0] * 4
        weight = torch.randn(shape, generator=g)
        tensors[f"{name}.weight"] = weight * (2 / inputs) ** 0.5
        outputs = shape[1] if name.startswith(("deconv", "upsample")) else shape[0]
        tensors[f"{name}.bias"] = 0.1 * torch.randn(outputs, generator=g)
    return tensors


def caffe_flow(theirs, x):
    """Finest flow of (N, 3 T, H, W), BGR, as the published definition has it."""

    def conv(x, name, stride=1):
        weights = theirs[f"{name}.weight"], theirs[f"{name}.bias"]
        return F.conv2d(x, *weights, stride=stride, padding=1)

    def deconv(x, name):
        weights = theirs[f"{name}.weight"], theirs[f"{name}.bias"]
        return F.conv_transpose2d(x, *weights, stride=2, padding=1)

    skipped = {}
    for level in range(1, 7):
        x = F.leaky_relu(conv(x, f"conv{level}", stride=1 + (level > 1)), 0.1)
        x = F.leaky_relu(conv(x, f"conv{level}_1"), 0.1)
        skipped[level] = x
    flow = conv(x, "conv_pr6")
    for level in (5, 4, 3, 2):
        up = F.leaky_relu(deconv(x, f"deconv{level}"), 0.1)
        flow = deconv(flow, f"upsample_flow{level + 1}to{level}")
        x = conv(torch.cat([skipped[level], up, flow], 1), f"smooth_conv{level}")
        flow = conv(x, f"conv_pr{level}")
    return flow


def test_motionnet(theirs):
    alone = {k: v for k, v in theirs.items() if "vgg16" not in k}
    alone["FlowDeltas6_0.weight"] = torch.zeros(2, 1, 3, 3)  # of the losses
    kind, ours = converter.convert(alone)
    assert kind == "motionnet"
    model = MODELS.build(dict(type="MotionNet", num_frames=FRAMES)).eval()
    model.load_state_dict({k.removeprefix("backbone."): v for k, v in ours.items()})
    clip = torch.randn(1, 3, FRAMES, 64, 96)  # R, G, B
    caffe = clip.flip(1).transpose(1, 2).flatten(1, 2)  # B, G, R of each frame
    with torch.no_grad():
        expected = caffe_flow(theirs, caffe)
        torch.testing.assert_close(model(clip)[0], expected, rtol=1e-4, atol=1e-4)


def test_stacked(theirs):
    kind, ours = converter.convert(theirs)
    assert kind == "stacked"
    part = {k: v for k, v in ours.items() if k.startswith("backbone.temporal.")}
    vgg = VGG16(in_channels=FLOW, fc_channels=HIDDEN).eval()
    vgg.load_state_dict(
        {k.removeprefix("backbone.temporal."): v for k, v in part.items()}
    )
    x = image = torch.randn(1, FLOW, 224, 224)
    for stage, count in enumerate((2, 2, 3, 3, 3), 1):
        for i in range(1, count + 1):
            name = f"conv{stage}_{i}_vgg16"
            x = F.conv2d(x, theirs[f"{name}.weight"], theirs[f"{name}.bias"], padding=1)
            x = x.relu()
        x = F.max_pool2d(x, 2)
    x = x.flatten(1)
    for name in ("fc6_vgg16", "fc7_vgg16"):
        x = F.linear(x, theirs[f"{name}.weight"], theirs[f"{name}.bias"]).relu()
    with torch.no_grad():
        torch.testing.assert_close(vgg(image).flatten(1), x, rtol=1e-4, atol=1e-4)
    assert torch.equal(ours["cls_head.fc_cls.weight"], theirs["fc8_vgg16.weight"])
    assert torch.equal(ours["cls_head.fc_cls.bias"], theirs["fc8_vgg16.bias"])
    motion = {k for k in ours if k.startswith("backbone.motion_net.")}
    assert len(motion) + len(part) + 2 == len(ours) == len(theirs)


def test_faults_are_named(theirs):
    faulty = {k: v for k, v in theirs.items() if k != "deconv3.bias"}
    faulty["fc7_vgg16.bias"] = torch.zeros(HIDDEN + 1)
    with pytest.raises(ValueError, match=r"deconv3\.bias is missing; fc7_.*has shape"):
        converter.convert(faulty)
    with pytest.raises(ValueError, match=r"no layer conv_pr2\).*layers fc8"):
        converter.convert({"fc8.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="conv1 has 99 input channels"):
        converter.convert(theirs | {"conv1.weight": torch.zeros(64, 99, 3, 3)})


def write(path, tensors):
    net = net_parameter_class()(name="net")
    for name in dict.fromkeys(key.rsplit(".", 1)[0] for key in tensors):
        layer = net.layer.add(name=name)
        for leaf in ("weight", "bias"):
            value = tensors[f"{name}.{leaf}"]
            blob = layer.blobs.add()
            blob.data.extend(value.flatten().tolist())
            blob.shape.dim.extend(value.shape)
    path.write_bytes(net.SerializeToString())


def test_reader(tmp_path, monkeypatch, capsys):
    tensors = {"a.weight": torch.randn(2, 3, 1, 1), "a.bias": torch.randn(2)}
    path = tmp_path / "net.caffemodel"
    write(path, tensors)
    # NetParameter.layer is field 100, a message: 0xa2 0x06; Caffe writes packed floats
    assert b"\xa2\x06" in path.read_bytes() and b"\x2a\x18" in path.read_bytes()
    read = read_caffemodel(path)
    assert all(torch.equal(read[name], value) for name, value in tensors.items())

    def tool():
        arguments = "hidden_two_stream", str(path), str(tmp_path / "out")
        monkeypatch.setattr(sys, "argv", [str(TOOL), *arguments])
        with pytest.raises(SystemExit):
            runpy.run_path(str(TOOL), run_name="__main__")
        assert not (tmp_path / "out").exists()
        return capsys.readouterr().err

    assert "no layer conv_pr2" in tool()
    path.write_bytes(b"\xff" * 20)
    assert "net.caffemodel is not a .caffemodel" in tool()
    path.write_bytes(b"")
    assert "has no layers with weights" in tool()
    net = net_parameter_class()()
    blob = net.layer.add(name="a").blobs.add(data=[1.0, 2.0])
    blob.shape.dim.append(3)
    path.write_bytes(net.SerializeToString())
    assert "a.weight has 2 values for the shape (3,)" in tool()
    path.unlink()
    assert "net.caffemodel" in tool()
