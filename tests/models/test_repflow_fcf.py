"""The authors' (2+1)D network, converted, against a transcription of theirs."""

import pytest
import torch
from helpers.upstream_fcf_network import fcf_network, published_shapes
from helpers.upstream_repflow_network import random_state

from flowzoo.models.backbones import RepFlowFcfResNet3d
from flowzoo.models.heads import FrameAverageHead
from flowzoo.zoo.convert_repflow import convert


@pytest.mark.parametrize(("depth", "frames", "steps"), [(18, 16, 2), (50, 21, 3)])
def test_scores_are_theirs(depth, frames, steps):
    theirs = random_state(published_shapes(depth, num_classes=5), torch.float64)
    kind, state = convert(theirs)
    assert kind == "fcf_network"
    ours = torch.nn.ModuleDict(
        {
            "backbone": RepFlowFcfResNet3d(depth, n_iters=4),
            "cls_head": FrameAverageHead(5, 2048 if depth == 50 else 512),
        }
    )
    ours.double().eval().load_state_dict(state)
    x = 2 * torch.rand(2, 3, frames, 25, 33, dtype=torch.float64) - 1
    with torch.no_grad():
        features = ours["backbone"](x)
        scores = ours["cls_head"].fc_cls(features.mean((2, 3, 4)))
        expected = fcf_network(theirs, x, n_iter=4)
        one_less = fcf_network(theirs, x, n_iter=3)
    assert features.shape[2] == steps
    torch.testing.assert_close(scores, expected, rtol=1e-8, atol=1e-8)
    assert (expected - one_less).abs().max() > 1e-6  # the flow matters


def test_starts_as_a_network_without_flow():
    net = RepFlowFcfResNet3d(18, base_channels=4, flow_channels=3, n_iters=2)
    net.init_weights()
    net.eval()
    x = torch.rand(1, 3, 15, 32, 32)
    features = net.layer2(net.layer1(net.maxpool(net.conv1(x))))
    torch.testing.assert_close(
        net.flow_block(features), features.unfold(2, 3, 1).mean(-1)
    )


def test_trains():
    net = RepFlowFcfResNet3d(18, base_channels=4, flow_channels=3, n_iters=2)
    net.init_weights()
    torch.nn.init.ones_(net.flow_block.expand.norm.weight)
    assert net.train() is net
    net(torch.rand(2, 3, 15, 32, 32)).sum().backward()
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            assert torch.isfinite(parameter.grad).all(), name


def test_as_many_parameters_as_theirs():
    shapes = published_shapes(50, learned=())
    leaves = ("running_mean", "running_var", "num_batches_tracked")
    theirs = sum(
        torch.Size(shape).numel()
        for name, shape in shapes.items()
        if not name.endswith(leaves)
    )
    net = RepFlowFcfResNet3d(50)
    scalars = 2 * 3  # theta, lambda and tau, constants in theirs unless learned
    count = sum(p.numel() for p in net.parameters()) + 2049 * 400
    assert count == theirs + scalars == 33395158


@pytest.mark.parametrize("shape", [(1, 3, 14, 32, 32), (3, 16, 32, 32)])
def test_clips_that_are_too_short(shape):
    with pytest.raises(ValueError, match=r"at least 15 frames, got \("):
        RepFlowFcfResNet3d(18, base_channels=4)(torch.zeros(shape))
