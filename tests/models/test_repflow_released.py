"""The network of the released weights against a transcription of the authors'."""

import pytest
import torch
from helpers.upstream_repflow_network import (
    published_shapes,
    random_state,
    upstream_network,
)
from mmaction.registry import MODELS

from flowzoo.models.heads import FrameAverageHead
from flowzoo.models.layers.same_padding import Conv3dSame, pad_same
from flowzoo.zoo.convert_repflow import convert_network


@pytest.fixture(scope="module")
def theirs():
    return random_state(published_shapes(num_classes=5), torch.float64)


@pytest.fixture(scope="module")
def ours(theirs):
    model = torch.nn.ModuleDict(
        {
            "backbone": MODELS.build(dict(type="ReleasedRepFlowResNet3d")),
            "cls_head": FrameAverageHead(5, 2048),
        }
    )
    model.double().eval().load_state_dict(convert_network(theirs))
    return model


@pytest.mark.parametrize(
    ("shape", "steps"),
    [((2, 3, 11, 40, 64), 1), ((1, 3, 16, 45, 38), 2), ((1, 3, 21, 33, 31), 3)],
)
def test_scores_are_theirs(shape, steps, ours, theirs):
    x = 2 * torch.rand(shape, dtype=torch.float64) - 1
    with torch.no_grad():
        features = ours["backbone"](x)
        head = ours["cls_head"]
        scores = head.fc_cls(features.mean((3, 4)).transpose(1, 2)).mean(1)
        torch.testing.assert_close(head(features), scores.float())
        expected = upstream_network(theirs, x)
        one_less = upstream_network(theirs, x, n_iter=9)
    assert features.shape[:3] == (shape[0], 2048, steps)
    torch.testing.assert_close(scores, expected, rtol=1e-9, atol=1e-9)
    assert (expected - one_less).abs().max() > 1e-6  # the flow matters


def test_trains():
    model = MODELS.build(
        dict(type="ReleasedRepFlowResNet3d", base_channels=4, flow_channels=3)
    )
    model.init_weights()
    assert model.train() is model
    model(torch.rand(2, 3, 11, 32, 32)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    frozen = MODELS.build(
        dict(type="ReleasedRepFlowResNet3d", base_channels=4, learn=(), norm_eval=True)
    ).train()
    assert not any(p.requires_grad for p in frozen.flow_block.flow.parameters())
    assert not frozen.layer1[0].downsample[1].training


def test_same_padding_of_tensorflow():
    for size in range(1, 9):
        for kernel, stride in ((3, 1), (3, 2), (1, 2), (2, 2), (5, 3)):
            x = torch.zeros(1, 1, 2, size, 3)
            conv = Conv3dSame(1, 1, (1, kernel, 1), stride=(1, stride, 1), padding=9)
            assert conv(x).shape[3] == -(-size // stride)
            assert pad_same(x, conv.kernel_size, conv.stride).shape[2] == 2
    padded = pad_same(torch.ones(4, 1, 1), (3, 1, 1), (2, 1, 1))
    assert padded.flatten().tolist() == [1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    "shape", [(1, 3, 10, 32, 32), (1, 3, 11, 6, 32), (3, 11, 9, 9)]
)
def test_clips_that_are_too_small(shape):
    model = MODELS.build(dict(type="ReleasedRepFlowResNet3d", base_channels=2))
    with pytest.raises(ValueError, match=r"clips .*got \("):
        model(torch.zeros(shape))
