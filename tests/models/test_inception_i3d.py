"""I3D's sizes. Its values are compared with the authors' in test_convert_i3d.py."""

from math import ceil, prod

import pytest
import torch
from helpers.upstream_i3d import published_layers, published_shapes
from mmaction.registry import MODELS
from mmengine.config import Config
from torch import nn

from flowzoo.config_lookup import find_config
from flowzoo.models.backbones import InceptionI3D
from flowzoo.models.heads import InceptionI3DHead
from flowzoo.zoo.complexity import complexity

# Stride of a layer's output with respect to the clip, in time and space.
STRIDES = {"1": (2, 2), "2": (2, 4), "3": (2, 8), "4": (4, 16), "5": (8, 32)}


def multiply_adds(in_channels, frames, size):
    """Up to the last pooling, from the table of layers."""
    total = 0
    for name, (k, inputs, out) in published_layers(in_channels).items():
        stage = name.split("_")[1][0]
        t, s = STRIDES[stage]
        total += k**3 * inputs * out * ceil(frames / t) * ceil(size / s) ** 2
    return total


@pytest.mark.parametrize(
    ("config", "channels", "parameters"),
    [
        ("i3d_inception_kinetics.py", 3, 12_689_984),  # OpenVINO's zoo: 12.69 M
        ("i3d_inception_kinetics_flow.py", 2, 12_668_032),
    ],
)
def test_parameters_and_multiply_adds(config, channels, parameters):
    shapes = published_shapes(channels).items()
    learned = sum(prod(shape) for name, shape in shapes if "moving" not in name)
    assert learned == parameters
    expected = parameters, multiply_adds(channels, 64, 224)
    config = Config.fromfile(find_config(config))
    assert complexity(config, (1, channels, 64, 224, 224)) == expected


@pytest.mark.parametrize(
    ("clip", "maps"), [((64, 224, 224), (8, 7, 7)), ((250, 96, 65), (32, 3, 3))]
)
def test_sizes_of_the_features(clip, maps):
    with torch.device("meta"):
        x = InceptionI3D()(torch.empty(1, 3, *clip))
    assert x.shape == (1, 1024, *maps)


def test_norms_have_no_scale():
    model = InceptionI3D(in_channels=2)
    names = {name.rsplit(".", 2)[-2:][0] + "." + name.rsplit(".", 1)[-1]
             for name, _ in model.named_parameters()}  # fmt: skip
    assert names == {"conv.weight", "bn.bias"}
    scaled = InceptionI3D(norm_cfg=dict(type="BN3d", eps=0.001))
    assert scaled.Conv3d_1a_7x7.bn.weight.shape == (64,)
    synced = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert synced.Conv3d_1a_7x7.bn.weight is None
    assert synced.Conv3d_1a_7x7.bn.bias.shape == (64,)


def test_every_layer_learns():
    model = MODELS.build(dict(type="InceptionI3D"))
    model.init_weights()
    model.train()(torch.rand(2, 3, 9, 33, 40)).square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    convolutions = [m.weight for m in model.modules() if isinstance(m, nn.Conv3d)]
    assert len(convolutions) == 57 and all(p.grad.any() for p in convolutions)


def test_time_average():
    """(a+b)/2, (b+c)/2, (c+d)/2, and their mean."""
    head = InceptionI3DHead(2, 1, dropout_ratio=0)
    head.fc_cls.weight.data[:] = torch.tensor([[1.0], [2.0]])
    head.fc_cls.bias.data[:] = 0
    x = torch.tensor([6.0, 3.0, 9.0, 12.0]).view(1, 1, 4, 1, 1).expand(1, 1, 4, 2, 3)
    assert head(x).tolist() == [[7.0, 14.0]]
    assert head(x[:, :, :1]).tolist() == [[6.0, 12.0]]


@pytest.mark.parametrize("shape", [(1, 2, 8, 32, 32), (3, 8, 32, 32)])
def test_clips_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"\(N, 3, T, H, W\), got \("):
        InceptionI3D()(torch.zeros(shape))
