import pytest
import torch
from torch import nn

from flowzoo.models.backbones import BNInception

# Channels of the published definition (temporal segment networks), in its order.
BLOCK = "1x1 3x3_reduce 3x3 double_3x3_reduce double_3x3_1 double_3x3_2 pool_proj"
PUBLISHED = {
    "3a": (64, 64, 64, 64, 96, 96, 32),
    "3b": (64, 64, 96, 64, 96, 96, 64),
    "3c": (None, 128, 160, 64, 96, 96, None),
    "4a": (224, 64, 96, 96, 128, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128, 128),
    "4c": (160, 128, 160, 128, 160, 160, 128),
    "4d": (96, 128, 192, 160, 192, 192, 128),
    "4e": (None, 128, 192, 192, 256, 256, None),
    "5a": (352, 192, 320, 160, 224, 224, 128),
    "5b": (352, 192, 320, 192, 224, 224, 128),
}


@pytest.mark.parametrize("in_channels", [3, 20])
def test_layers_are_the_published_ones(in_channels):
    with torch.device("meta"):
        model = BNInception(in_channels)
    channels = {"conv1_7x7_s2": 64, "conv2_3x3_reduce": 64, "conv2_3x3": 192}
    for block, widths in PUBLISHED.items():
        for part, width in zip(BLOCK.split(), widths, strict=True):
            if width:
                channels[f"inception_{block}_{part}"] = width
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    for name, width in channels.items():
        kernel = 7 if "7x7" in name else 3 if "3x3" in name else 1
        kernel = 1 if name.endswith(("reduce", "proj")) else kernel
        weight = shapes.pop(f"{name}.weight")
        assert (weight[0], *weight[2:]) == (width, kernel, kernel)
        for other in ("bias", "_bn.weight", "_bn.bias"):
            separator = "" if other.startswith("_") else "."
            assert shapes.pop(f"{name}{separator}{other}") == (width,)
    assert not shapes
    # pretrainedmodels' network, whose weights we load, has 11,295,240 for images, with
    # the last layer of 1000 classes (also in imgclsmob's table and tests)
    extra = 64 * 49 * (in_channels - 3)
    total = sum(p.numel() for p in model.parameters())
    assert total == 11_295_240 - 1025 * 1000 + extra


def test_sizes_of_features():
    model = BNInception().eval()
    model.init_weights()
    with torch.no_grad():
        assert model(torch.rand(1, 3, 224, 224)).shape == (1, 1024, 7, 7)


def test_partial_batch_norm():
    model = BNInception(partial_bn=True).train()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m.training for m in norms] == [True] + [False] * (len(norms) - 1)
    assert [m.weight.requires_grad for m in norms] == [m.training for m in norms]
