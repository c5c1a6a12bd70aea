import pytest
import torch
from mmaction.models.backbones.resnet import ResNet
from mmengine.runner import CheckpointLoader

from flowzoo.models import RepFlowResNet
from flowzoo_kernels import RepresentationFlow

POSITIONS = ["input", "conv1", "stem", "layer1", "layer2", "layer3", "layer4"]


def small(flow_cfg=None, **kwargs):
    if kwargs.get("flow_after", "layer2"):
        flow_cfg = dict(bottleneck_channels=4, n_iters=2) | (flow_cfg or {})
    net = RepFlowResNet(18, flow_cfg=flow_cfg, base_channels=8, **kwargs)
    net.init_weights()
    return net.eval()


def torchvision_resnet18(seed=0):
    """A state_dict of torchvision's layout: names without ConvModule's levels."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in ResNet(18).state_dict().items():
        name = name.replace("downsample.conv", "downsample.0")
        name = name.replace("downsample.bn", "downsample.1")
        name = name.replace(".conv.", ".")
        if ".bn." in name:
            name = name.replace(".bn.", ".").replace("conv", "bn")
        state[name] = torch.rand(value.shape, generator=generator).to(value.dtype)
    assert "layer1.0.bn2.weight" in state
    return state


@pytest.mark.parametrize("position", POSITIONS)
def test_one_frame_less_comes_out_wherever_the_layer_stands(position):
    x = torch.rand(2, 3, 4, 64, 48)
    y = small(flow_after=position)(x)
    assert y.shape == (2, 64, 3, 2, 2)
    y.sum().backward()


@pytest.mark.parametrize("depth, channels", [(18, 512), (34, 512), (50, 2048)])
def test_depths(depth, channels):
    net = RepFlowResNet(depth).eval()
    assert net(torch.rand(1, 3, 2, 32, 32)).shape == (1, channels, 1, 1, 1)


def test_out_indices_count_frames_before_and_after_the_layer():
    net = small(flow_after="layer2", out_indices=(0, 1, 3))
    shapes = [tuple(y.shape) for y in net(torch.rand(1, 3, 5, 64, 64))]
    assert shapes == [(1, 8, 5, 16, 16), (1, 16, 4, 8, 8), (1, 64, 4, 2, 2)]


@pytest.mark.parametrize("num_flows", [2, 3])
def test_stacked_layers_drop_a_frame_each(num_flows):
    net = small(dict(num_flows=num_flows))
    assert net(torch.rand(1, 3, 5, 32, 32)).shape == (1, 64, 5 - num_flows, 1, 1)
    assert net.flow_block.frames_out(5) == 5 - num_flows


def test_without_the_layer_it_is_the_resnet_of_each_frame():
    net = small(flow_after=None)
    x = torch.rand(2, 3, 3, 32, 32)
    frame = x[:, :, 1]
    for stage in (net.conv1, net.maxpool, net.layer1, net.layer2, net.layer3):
        frame = stage(frame)
    torch.testing.assert_close(net(x)[:, :, 1], net.layer4(frame))
    assert "flow" not in str(list(net.state_dict()))


def test_late_fusion_is_a_network_for_flows_beside_one_for_frames():
    net = small(dict(num_flows=2), late_fusion=True, out_indices=(0, 1, 3))
    assert net.feat_dim == 128
    assert list(net.rgb_stages) == ["layer3", "layer4"]
    x = torch.rand(2, 3, 4, 64, 64)
    before, _, after = net(x)
    assert before.shape == (2, 8, 4, 16, 16) and after.shape == (2, 128, 2, 2, 2)
    plain = small(flow_after=None)
    plain.load_state_dict(net.state_dict(), strict=False)
    for name in net.rgb_stages:
        getattr(plain, name).load_state_dict(net.rgb_stages[name].state_dict())
    torch.testing.assert_close(after[:, 64:], plain(x)[:, :, :2])
    net.rgb_stages = None
    torch.testing.assert_close(after[:, :64], net(x)[-1])


def test_clips_of_a_batch_do_not_mix():
    net = small()
    x = torch.rand(3, 3, 4, 64, 64)
    torch.testing.assert_close(net(x)[1:2], net(x[1:2]), rtol=1e-4, atol=1e-5)


def test_order_of_frames_matters():
    net = small()
    x = torch.rand(1, 3, 4, 64, 64)
    forward, backward = net(x), net(x.flip(2)).flip(2)
    assert (forward - backward).abs().max() > 1e-3


def test_flow_is_computed_between_the_right_frames():
    """Where two frames are equal there is no flow."""
    net = small()
    seen = []
    net.flow_block.flows[0].register_forward_hook(lambda *args: seen.append(args[-1]))
    x = torch.rand(1, 3, 4, 64, 64)
    x[:, :, 2] = x[:, :, 1]
    net(x)
    still = seen[0].abs().amax((0, 1, 3, 4)) < 1e-6  # (T-1,)
    assert still.tolist() == [False, True, False]


def test_width_64_is_the_published_resnet():
    net, plain = RepFlowResNet(18), ResNet(18)
    own = {n: p.shape for n, p in net.named_parameters() if "flow_block" not in n}
    assert own == {n: p.shape for n, p in plain.named_parameters()}


def test_late_fusion_loads_pretrained_weights_twice(tmp_path):
    state = torchvision_resnet18()
    torch.save(state, tmp_path / "resnet18.pth")
    path = str(tmp_path / "resnet18.pth")
    net = RepFlowResNet(18, late_fusion=True, pretrained=path)
    net.init_weights()
    for layer4 in (net.layer4, net.rgb_stages["layer4"]):
        torch.testing.assert_close(
            layer4[1].conv2.conv.weight, state["layer4.1.conv2.weight"]
        )


@pytest.mark.parametrize("how", ["path", "init_cfg"])
def test_pretrained_2d_weights_are_loaded(how, tmp_path, monkeypatch):
    state = torchvision_resnet18()
    if how == "path":
        torch.save(state, tmp_path / "resnet18.pth")
        net = RepFlowResNet(18, pretrained=str(tmp_path / "resnet18.pth"))
    else:
        monkeypatch.setitem(
            CheckpointLoader._schemes,
            "torchvision://",
            lambda filename, map_location=None, logger=None: dict(state),
        )
        init_cfg = dict(type="Pretrained", checkpoint="torchvision://resnet18")
        net = RepFlowResNet(18, init_cfg=init_cfg)
    net.init_weights()
    torch.testing.assert_close(net.conv1.conv.weight, state["conv1.weight"])
    torch.testing.assert_close(
        net.layer4[0].downsample.bn.running_var,
        state["layer4.0.downsample.1.running_var"],
    )
    torch.testing.assert_close(net.layer2[1].conv2.bn.bias, state["layer2.1.bn2.bias"])


@pytest.mark.parametrize("late_fusion", [False, True])
def test_own_checkpoint_as_init_cfg(late_fusion, tmp_path):
    net = small(late_fusion=late_fusion)
    torch.save(net.state_dict(), tmp_path / "own.pth")
    init_cfg = dict(type="Pretrained", checkpoint=str(tmp_path / "own.pth"))
    again = small(init_cfg=init_cfg, late_fusion=late_fusion)
    torch.testing.assert_close(again.state_dict(), net.state_dict())


def test_flow_arguments_reach_the_layer():
    net = RepFlowResNet(
        18, flow_cfg=dict(bottleneck_channels=6, n_iters=7, learn=("theta",))
    )
    (flow,) = [m for m in net.modules() if isinstance(m, RepresentationFlow)]
    assert flow.n_iters == 7
    assert [n for n, p in flow.named_parameters() if p.requires_grad] == ["theta"]


def test_errors():
    with pytest.raises(ValueError, match=r"flow_after='layer5'.*'layer4'"):
        RepFlowResNet(18, flow_after="layer5")
    with pytest.raises(ValueError, match="nothing to fuse"):
        RepFlowResNet(18, flow_after=None, late_fusion=True)
    net = small()
    with pytest.raises(ValueError, match="FormatShape"):
        net(torch.rand(2, 3, 64, 64))
    with pytest.raises(ValueError, match="at least 2 frames"):
        net(torch.rand(1, 3, 1, 64, 64))
