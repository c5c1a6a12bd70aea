import pytest
import torch
from torch import nn

from flowzoo.models.layers import FUSIONS, RepFlowBlock, fold_frames, unfold_frames
from flowzoo_kernels import RepresentationFlow


def block(**kwargs):
    return RepFlowBlock(6, bottleneck_channels=4, n_iters=3, **kwargs).eval()


def by_frame(module, x):
    """A 2D module on each frame of (N, C, T, H, W), one after another."""
    return torch.stack([module(frame) for frame in x.unbind(2)], 2)


@pytest.fixture
def x():
    return torch.rand(2, 6, 5, 7, 9, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "kwargs, maps",
    [
        ({}, [4]),
        (dict(num_flows=2), [4, 4]),
        (dict(num_flows=2, conv_between=False), [4, 8]),
        (dict(num_flows=3), [4, 4, 4]),
        (dict(num_flows=3, conv_between=False), [4, 8, 16]),
    ],
    ids=["single", "fcf", "fof", "fcfcf", "fofof"],
)
def test_stack_is_flow_of_flow(x, kwargs, maps):
    net = block(**kwargs)
    assert [flow.channels for flow in net.flows] == maps
    u = by_frame(net.reduce, x)
    for i, flow in enumerate(net.flows):
        if i > 0 and kwargs.get("conv_between", True):
            u = by_frame(net.between[i - 1], u)
        u = flow(u)
    y = by_frame(net.expand[1], by_frame(net.expand[0], u)).relu()
    assert y.shape == (2, 6, 5 - len(maps), 7, 9)
    assert net.frames_out(5) == 5 - len(maps)
    torch.testing.assert_close(net(x), y)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_fusion_joins_each_flow_with_its_first_frame(x, fusion):
    net = block(fusion=fusion, num_flows=2)
    for norm in net.modules():  # in eval mode, not the identity
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight)
            nn.init.uniform_(norm.bias, -0.5, 0.5)
    y = by_frame(net.expand, net.compute_flow(x))
    first = x[:, :, :3]
    expected = {
        "none": lambda: y.relu(),
        "add": lambda: (first + y).relu(),
        "multiply": lambda: first * y.relu(),
        "layer_multiply": lambda: first * by_frame(net.fusion.layer, y.relu()).relu(),
        "concat": lambda: by_frame(
            net.fusion.layer, torch.cat((first, y.relu()), 1)
        ).relu(),
    }[fusion]()
    torch.testing.assert_close(net(x), expected)


@pytest.mark.parametrize("num_flows", [1, 3])
def test_keep_frames_repeats_the_last_flow(x, num_flows):
    net = block(num_flows=num_flows, keep_frames=True)
    out = net(x)
    assert out.shape == x.shape and net.frames_out(5) == 5
    for t in range(5 - num_flows, 5):
        torch.testing.assert_close(out[:, :, t], out[:, :, 4 - num_flows])
    kept = net.num_flows
    net.keep_frames = False
    torch.testing.assert_close(net(x), out[:, :, :-kept])


def test_bare_convolution_and_few_channels(x):
    net = RepFlowBlock(6, n_iters=2, norm_cfg=None, act_cfg=None)
    assert isinstance(net.reduce, nn.Identity)
    assert net.expand[0].bias is not None
    assert net(x).min() < 0


def test_every_parameter_is_reached(x):
    net = block(fusion="concat", num_flows=2).train()
    net(x).pow(2).sum().backward()
    for name, p in net.named_parameters():
        if p.requires_grad:
            assert p.grad is not None and p.grad.abs().sum() > 0, name


def test_flow_arguments_reach_every_layer():
    net = block(num_flows=2, learn=("theta",), variant="paper", normalize="batch")
    flows = [m for m in net.modules() if isinstance(m, RepresentationFlow)]
    assert len(flows) == 2
    for flow in flows:
        assert (flow.n_iters, flow.variant, flow.normalize) == (3, "paper", "batch")
        assert [n for n, p in flow.named_parameters() if p.requires_grad] == ["theta"]


def test_fold_and_unfold(x):
    folded = fold_frames(x)
    torch.testing.assert_close(folded[7], x[1, :, 2])
    torch.testing.assert_close(unfold_frames(folded, 5), x)


@pytest.mark.parametrize("clips", [1, 2])
def test_folded_frames_have_channels_last_and_fold_again_without_a_copy(x, clips):
    x = x[:clips]  # one clip's frames could be folded without a copy
    folded = fold_frames(x)
    assert folded.is_contiguous(memory_format=torch.channels_last)
    again = fold_frames(unfold_frames(folded, x.shape[2]))
    assert again.data_ptr() == folded.data_ptr()


def test_gradients_of_each_sample(x):
    net, x = block(fusion="add").double(), x.double()
    parameters = {k: p.detach() for k, p in net.named_parameters()}

    def loss(parameters, clip):
        return torch.func.functional_call(net, parameters, (clip[None],)).sin().sum()

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(parameters, x)
    for i, clip in enumerate(x):
        one = torch.func.grad(loss)(parameters, clip)
        torch.testing.assert_close({k: g[i] for k, g in each.items()}, one)


def test_errors(x):
    with pytest.raises(ValueError, match=r"fusion='sum'.*'layer_multiply'"):
        block(fusion="sum")
    with pytest.raises(ValueError, match="num_flows=0"):
        block(num_flows=0)
    with pytest.raises(ValueError, match=r"at least 4 frames, but 3 .* clip_len"):
        block(num_flows=3)(x[:, :, :3])
