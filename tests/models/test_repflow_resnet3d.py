import re

import pytest
import torch
from mmaction.models.backbones.resnet2plus1d import ResNet2Plus1d
from mmaction.models.backbones.resnet3d import ResNet3d
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.models import (
    RepFlowResNet2Plus1d,
    RepFlowResNet3d,
    RepFlowSeparableResNet3d,
)

STRIDES = (1, 2, 2, 2)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield


def settings(two_plus_one):
    kwargs = dict(base_channels=8, temporal_strides=STRIDES, with_pool2=False)
    if two_plus_one:
        return kwargs | dict(pretrained2d=False, conv_cfg=dict(type="Conv2plus1d"))
    return kwargs | dict(inflate_style="3x3x3")


def build(two_plus_one, depth=18, **kwargs):
    network = RepFlowResNet2Plus1d if two_plus_one else RepFlowResNet3d
    if kwargs.get("flow_after", "layer2"):
        kwargs.setdefault("flow_cfg", dict(bottleneck_channels=4, n_iters=2))
    net = network(depth, **settings(two_plus_one) | kwargs)
    net.init_weights()
    return net.eval()


both = pytest.mark.parametrize("two_plus_one", [False, True], ids=["3d", "2plus1d"])


@both
@pytest.mark.parametrize(
    "position, frames",  # of 9: how many reach layer4's end
    [("input", 1), ("conv1", 1), ("stem", 1), ("layer1", 1), ("layer2", 1)],
)
def test_positions(two_plus_one, position, frames):
    net = build(two_plus_one, flow_after=position)
    seen = []
    net.flow_block.register_forward_hook(lambda m, args, out: seen.append(out.shape[2]))
    y = net(torch.rand(1, 3, 9, 32, 32))
    assert y.shape == (1, 64, frames, 1, 1)
    assert seen == [4 if position == "layer2" else 8]
    y.sum().backward()


@both
def test_without_the_layer_it_is_mmaction2s(two_plus_one):
    net = build(two_plus_one, flow_after=None)
    plain = (ResNet2Plus1d if two_plus_one else ResNet3d)(18, **settings(two_plus_one))
    plain.load_state_dict(net.state_dict())
    x = torch.rand(1, 3, 4, 32, 32)
    plain.eval()
    torch.testing.assert_close(net(x), plain(x))


def test_pools_of_i3d():
    plain_settings = dict(base_channels=8, with_pool1=False, with_pool2=True)
    net = RepFlowResNet3d(18, flow_after=None, **plain_settings)
    plain = ResNet3d(18, **plain_settings)
    plain.load_state_dict(net.state_dict())
    x = torch.rand(1, 3, 4, 32, 32)
    net.eval(), plain.eval()
    torch.testing.assert_close(net(x), plain(x))


@both
def test_the_layer_between_the_stages(two_plus_one):
    net = build(two_plus_one, flow_cfg=dict(n_iters=2, num_flows=2, fusion="add"))
    x = torch.rand(2, 3, 8, 32, 32)
    y = net.layer2(net.layer1(net.maxpool(net.conv1(x))))
    assert y.shape[2] == 4
    y = net.flow_block(y)
    assert y.shape[2] == 2
    torch.testing.assert_close(net(x), net.layer4(net.layer3(y)))


@both
def test_late_fusion_and_depth(two_plus_one):
    net = build(two_plus_one, depth=50, late_fusion=True)
    assert net.feat_dim == 512
    assert net(torch.rand(1, 3, 4, 32, 32)).shape == (1, 512, 1, 1, 1)


def test_imagenet_weights_are_inflated(tmp_path):
    generator = torch.Generator().manual_seed(0)
    state = {"conv1.weight": torch.rand(8, 3, 7, 7, generator=generator)}
    state["layer4.1.conv2.weight"] = torch.rand(64, 64, 3, 3, generator=generator)
    torch.save(state, tmp_path / "2d.pth")
    net = build(False, pretrained=str(tmp_path / "2d.pth"), late_fusion=True)
    stem = net.conv1.conv.weight
    assert stem.shape == (8, 3, 3, 7, 7)
    torch.testing.assert_close(stem.sum(2), state["conv1.weight"])
    for layer4 in (net.layer4, net.rgb_stages["layer4"]):
        torch.testing.assert_close(
            layer4[1].conv2.conv.weight.sum(2), state["layer4.1.conv2.weight"]
        )


@pytest.mark.parametrize("depth", [18, 50])
def test_imagenet_weights_are_inflated_in_separable_networks(depth, tmp_path):
    conv1_size, width = (3, 8) if depth == 18 else (1, 32)
    state = {
        "conv1.weight": torch.rand(8, 3, 7, 7),
        "layer2.1.conv1.weight": torch.rand(16, 2 * width, conv1_size, conv1_size),
        "layer2.1.conv2.weight": torch.rand(16, 16, 3, 3),
    }
    torch.save(state, tmp_path / "2d.pth")
    net = RepFlowSeparableResNet3d(
        depth,
        base_channels=8,
        flow_cfg=dict(bottleneck_channels=4),
        pretrained=str(tmp_path / "2d.pth"),
    )
    net.init_weights()
    block = net.layer2[1]
    for conv, name in (
        (net.conv1.conv, "conv1"),
        (block.conv1.conv, "layer2.1.conv1"),
        (block.conv2.conv, "layer2.1.conv2"),
    ):
        torch.testing.assert_close(conv.weight.sum(2), state[f"{name}.weight"])


@both
def test_too_few_frames_reach_the_layer(two_plus_one):
    net = build(two_plus_one)
    with pytest.raises(ValueError, match=r"1 arrived here.*temporal strides"):
        net(torch.rand(1, 3, 2, 32, 32))


def test_training_mode_returns_the_network():
    net = build(False)
    assert net.train() is net and net.training


@pytest.mark.parametrize("depth, millions", [(18, 24.0), (50, 33.0)])
def test_separable_networks_are_as_large_as_the_authors(depth, millions):
    net = RepFlowSeparableResNet3d(depth, flow_after=None)
    classifier = (net.feat_dim + 1) * 400
    count = sum(p.numel() for p in net.parameters()) + classifier
    assert round(count / 1e6, 1) == millions


@pytest.mark.parametrize(
    "depth, kernels",
    [(18, [(1, 3, 3), (3, 3, 3)]), (50, [(3, 1, 1), (1, 3, 3), (1, 1, 1)])],
)
def test_separable_blocks_alternate_time_and_space(depth, kernels):
    net = RepFlowSeparableResNet3d(depth, flow_after=None, base_channels=8)
    convs = [f"conv{i + 1}" for i in range(len(kernels))]
    for name in net.res_layers:
        for block in getattr(net, name):
            assert [getattr(block, c).conv.kernel_size for c in convs] == kernels


@pytest.mark.parametrize("depth, channels", [(18, 64), (50, 256)])
def test_a_quarter_of_the_frames_reach_the_layer_of_separable_networks(depth, channels):
    flow_cfg = dict(bottleneck_channels=4, n_iters=2)
    net = RepFlowSeparableResNet3d(depth, flow_cfg=flow_cfg, base_channels=8).eval()
    seen = []
    net.flow_block.register_forward_hook(lambda m, args, out: seen.append(out.shape[2]))
    assert net(torch.rand(1, 3, 32, 32, 32)).shape == (1, channels, 2, 1, 1)
    assert seen == [7]


def test_3d_network_of_table_6_has_the_authors_tensors():
    """baseline_3d_resnets.py: torchvision's names, kernels of 3x3x3, a 7x7x7 stem."""
    expected = {"conv1": (64, 3, 7, 7, 7), "bn1": (64,)}
    inputs = 64
    for stage, planes in enumerate((64, 128, 256, 512), 1):
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            expected[f"{name}.conv1"] = (planes, inputs, 3, 3, 3)
            expected[f"{name}.conv2"] = (planes, planes, 3, 3, 3)
            expected[f"{name}.bn1"] = expected[f"{name}.bn2"] = (planes,)
            if inputs != planes:
                expected[f"{name}.downsample.0"] = (planes, inputs, 1, 1, 1)
                expected[f"{name}.downsample.1"] = (planes,)
            inputs = planes
    config = Config.fromfile(find_config("repflow_r3d18_minikinetics_rgb.py"))
    with torch.device("meta"):
        net = MODELS.build(config.model.backbone)
    found = {}
    for name, value in net.state_dict().items():
        if name.endswith(".weight"):
            name = name.removesuffix(".weight").replace(
                "downsample.conv", "downsample.0"
            )
            name = name.replace("downsample.bn", "downsample.1")
            found[re.sub(r"(conv|bn)(\d)\.conv", r"\1\2", name)] = tuple(value.shape)
    found = {re.sub(r"conv(\d)\.bn", r"bn\1", n): shape for n, shape in found.items()}
    assert found == expected
    assert net.maxpool.kernel_size == (3, 3, 3) and net.maxpool.stride == (2, 2, 2)
    assert net.maxpool.padding == (1, 1, 1)
