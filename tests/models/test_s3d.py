"""S3D's sizes, and its two convolutions and gate by hand."""

import pytest
import torch
from mmaction.registry import MODELS
from torch import nn

from flowzoo.models.backbones import S3D, InceptionI3D
from flowzoo.models.backbones.inception_i3d import BLOCKS
from flowzoo.models.backbones.s3d import SelfGating

# torchvision.models.video.s3d with 400 classes, whose classifier has biases
TORCHVISION = 8_320_048
CLASSIFIER = 400 * 1025
# What the authors' code (slim, s3dg.py) gates: a convolution of 192 channels, and each
# of the four branches of a block
GATED = [192, *(c for f, (_, a), (_, b), p in BLOCKS.values() for c in (f, a, b, p))]

# Channels of the blocks of the public port (kylemin/S3D, model.py): what enters, and
# those of its convolutions.
PORT = {
    "Mixed_3b": (192, 64, 96, 128, 16, 32, 32),
    "Mixed_3c": (256, 128, 128, 192, 32, 96, 64),
    "Mixed_4b": (480, 192, 96, 208, 16, 48, 64),
    "Mixed_4c": (512, 160, 112, 224, 24, 64, 64),
    "Mixed_4d": (512, 128, 128, 256, 24, 64, 64),
    "Mixed_4e": (512, 112, 144, 288, 32, 64, 64),
    "Mixed_4f": (528, 256, 160, 320, 32, 128, 128),
    "Mixed_5b": (832, 256, 160, 320, 32, 128, 128),
    "Mixed_5c": (832, 384, 192, 384, 48, 128, 128),
}


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_parameters():
    with torch.device("meta"):
        model = S3D(norm_cfg=dict(type="BN3d"))
        gated = S3D(norm_cfg=dict(type="BN3d"), gating=True)
    assert parameters(model) == TORCHVISION - CLASSIFIER
    assert parameters(gated) - parameters(model) == sum(c * c for c in GATED)


def test_layers_are_those_of_the_port():
    def one(inputs, out):
        return [(out, inputs, 1, 1, 1)]

    def apart(inputs, out, kernel=3):
        return [(out, inputs, 1, kernel, kernel), (out, out, kernel, 1, 1)]

    shapes = [*apart(3, 64, 7), *one(64, 64), *apart(64, 192)]
    for inputs, single, reduced, out, reduced2, out2, pooled in PORT.values():
        shapes += [*one(inputs, single), *one(inputs, reduced), *apart(reduced, out)]
        shapes += [*one(inputs, reduced2), *apart(reduced2, out2), *one(inputs, pooled)]
    with torch.device("meta"):
        model = S3D(norm_cfg=dict(type="BN3d"))
    convs = [m for m in model.modules() if isinstance(m, nn.Conv3d)]
    assert [tuple(conv.weight.shape) for conv in convs] == shapes
    assert all(conv.bias is None for conv in convs)


@pytest.mark.parametrize("gating", [False, True])
@pytest.mark.parametrize(
    ("clip", "maps"), [((64, 224, 224), (8, 7, 7)), ((17, 96, 65), (3, 3, 3))]
)
def test_sizes_of_the_features(clip, maps, gating):
    with torch.device("meta"):
        x = S3D(gating=gating)(torch.empty(1, 3, *clip))
    assert x.shape == (1, 1024, *maps)


def test_convolutions_are_separate():
    kernels = {m.kernel_size for m in S3D().modules() if isinstance(m, nn.Conv3d)}
    assert kernels == {(1, 1, 1), (1, 7, 7), (7, 1, 1), (1, 3, 3), (3, 1, 1)}
    strides = [m.stride for m in S3D().Conv3d_1a_7x7.modules() if hasattr(m, "stride")]
    assert (1, 2, 2) in strides and (2, 1, 1) in strides


@pytest.mark.parametrize("network", [InceptionI3D, S3D])
def test_narrow_networks(network):
    """A quarter of the channels, none below 16, as the authors' depth multiplier."""
    model = network(width=0.25)
    assert model.Mixed_3b.branch_channels == (16, 32, 16, 16)
    assert model.Mixed_5c.branch_channels == (96, 96, 32, 32)
    assert model(torch.rand(1, 3, 8, 33, 40)).shape == (1, 256, 1, 2, 2)


def test_gate():
    """Means 2 and 1; sigmoid(0) and sigmoid(log 3) are 1/2 and 3/4."""
    gate = SelfGating(2)
    weights = torch.tensor([[1.0, -2.0], [0.0, 1.0]])
    gate.weights.weight.data[:] = weights.view(2, 2, 1, 1, 1)
    gate.weights.weight.data[1, 1] = torch.tensor(3.0).log()
    x = torch.tensor([[0.0, 4.0], [1.0, 1.0]]).view(1, 2, 2, 1, 1)
    expected = torch.tensor([[0.0, 2.0], [0.75, 0.75]]).view_as(x)
    torch.testing.assert_close(gate(x), expected)


@pytest.mark.parametrize("gating", [False, True])
def test_every_layer_learns(gating):
    model = MODELS.build(dict(type="S3D", gating=gating, width=0.25))
    model.init_weights()
    model.train()(torch.rand(2, 3, 9, 33, 40)).square().sum().backward()
    for name, p in model.named_parameters():
        assert p.grad.isfinite().all() and p.grad.any(), name
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv3d)]
    separated = 57 + 2 + 2 * len(BLOCKS)  # of I3D's 57
    assert len(convolutions) == separated + gating * len(GATED)
