import pytest
import torch
from mmaction.models.backbones.resnet import ResNet
from mmengine.runner import CheckpointLoader

from flowzoo.models import RepFlowResNet
from flowzoo_kernels import RepresentationFlow

POSITIONS = ["input", "conv1", "stem", "layer1", "layer2", "layer3", "layer4"]


def small(**kwargs):
    flow_cfg = dict(bottleneck_channels=4, n_iters=2)
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
    net.flow_block.flow.register_forward_hook(lambda *args: seen.append(args[-1]))
    x = torch.rand(1, 3, 4, 64, 64)
    x[:, :, 2] = x[:, :, 1]
    net(x)
    still = seen[0].abs().amax((0, 1, 3, 4)) < 1e-6  # (T-1,)
    assert still.tolist() == [False, True, False]


def test_width_64_is_the_published_resnet():
    net, plain = RepFlowResNet(18), ResNet(18)
    own = {n: p.shape for n, p in net.named_parameters() if "flow_block" not in n}
    assert own == {n: p.shape for n, p in plain.named_parameters()}


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


def test_own_checkpoint_as_init_cfg(tmp_path):
    net = small()
    torch.save(net.state_dict(), tmp_path / "own.pth")
    init_cfg = dict(type="Pretrained", checkpoint=str(tmp_path / "own.pth"))
    again = small(init_cfg=init_cfg)
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
    net = small()
    with pytest.raises(ValueError, match="FormatShape"):
        net(torch.rand(2, 3, 64, 64))
    with pytest.raises(ValueError, match="at least 2 frames"):
        net(torch.rand(1, 3, 1, 64, 64))
